/// The part of the page's script that draws the stacked chart.
enum PageScriptChart {
    static let text = #"""
        const span = 300000;
        let points = [];
        const chart = byId('chart');
        const svg = (tag, attributes) => {
          const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
          for (const name in attributes) element.setAttribute(name, attributes[name]);
          return element;
        };
        const lines = svg('g', {});
        const areaRealtime = svg('path', { class: 'area-realtime' });
        const areaAsync = svg('path', { class: 'area-async' });
        const labels = svg('g', {});
        const hair = svg('line', { class: 'hair', visibility: 'hidden' });
        chart.append(lines, areaRealtime, areaAsync, labels, hair);

        function niceTop(value) {
          const target = Math.max(value, 8) * 1.08;
          const power = Math.pow(10, Math.floor(Math.log10(target)));
          for (const step of [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10]) if (step * power >= target) return step * power;
          return 10 * power;
        }
        const frame = () => {
          const width = chart.clientWidth || 600;
          const height = chart.clientHeight || 220;
          return { left: 46, right: width - 4, top: 8, bottom: height - 22, width, height };
        };
        const place = (box, end, top) => ({
          x: (time) => box.right - (box.right - box.left) * (end - time) / span,
          y: (value) => box.bottom - (box.bottom - box.top) * value / top,
        });
        let scale = null;

        // Narrow charts show means over some seconds: more points than pixels would only be noise.
        function thin(all, box) {
          const size = Math.max(1, Math.round(all.length / ((box.right - box.left) / 3)));
          if (size === 1) return all;
          const groups = new Map();
          for (const p of all) {
            const group = Math.floor(p[0] / (size * 1000));
            if (!groups.has(group)) groups.set(group, []);
            groups.get(group).push(p);
          }
          const mean = (group, i) => group.reduce((sum, p) => sum + p[i], 0) / group.length;
          const means = [...groups.values()].map((group) => [mean(group, 0), mean(group, 1), mean(group, 2)]);
          means[0][0] = all[0][0];
          means[means.length - 1][0] = all[all.length - 1][0];
          return means;
        }

        function draw() {
          const box = frame();
          const end = points.length ? points[points.length - 1][0] : Date.now();
          points = points.filter((p) => p[0] >= end - span - 2000);
          const top = niceTop(points.reduce((most, p) => Math.max(most, p[1] + p[2]), 0));
          scale = place(box, end, top);
          const { x, y } = scale;
          const inside = thin(points.filter((p) => p[0] >= end - span), box);
          const path = (upper, lower) => {
            if (inside.length < 2) return '';
            const up = inside.map((p) => x(p[0]).toFixed(1) + ',' + y(upper(p)).toFixed(1));
            const down = inside.map((p) => x(p[0]).toFixed(1) + ',' + y(lower(p)).toFixed(1)).reverse();
            return 'M' + up.join('L') + 'L' + down.join('L') + 'Z';
          };
          areaRealtime.setAttribute('d', path((p) => p[1], () => 0));
          areaAsync.setAttribute('d', path((p) => p[1] + p[2], (p) => p[1]));
          lines.replaceChildren();
          labels.replaceChildren();
          for (let i = 0; i <= 4; i++) {
            const value = top * i / 4;
            lines.append(svg('line', { class: 'grid', x1: box.left, x2: box.right, y1: y(value), y2: y(value) }));
            const label = svg('text', { class: 'axis', x: box.left - 8, y: y(value) + 4, 'text-anchor': 'end' });
            label.textContent = value < 10 && value > 0 ? value.toFixed(1) : count(value);
            labels.append(label);
          }
          for (let minutes = 0; minutes <= 5; minutes += box.width < 480 ? 2 : 1) {
            const label = svg('text', { class: 'axis', x: x(end - minutes * 60000), y: box.bottom + 17, 'text-anchor': minutes === 0 ? 'end' : minutes === 5 ? 'start' : 'middle' });
            label.textContent = minutes === 0 ? 'now' : '−' + minutes + ' min';
            labels.append(label);
          }
        }

        let described = 0;
        function describe() {
          // Screen readers are told every 15 seconds at most.
          if (!points.length || points[points.length - 1][0] - described < 15000) return;
          described = points[points.length - 1][0];
          const last = points[points.length - 1];
          chart.setAttribute('aria-label', 'Output tokens per second over the last five minutes. Now ' + rate(last[1]) + ' real-time and ' + rate(last[2]) + ' async.');
        }

        function point(event) {
          if (!scale || !points.length) return;
          const box = chart.getBoundingClientRect();
          const at = event.clientX - box.left;
          let best = points[0];
          for (const p of points) if (Math.abs(scale.x(p[0]) - at) < Math.abs(scale.x(best[0]) - at)) best = p;
          const x = scale.x(best[0]);
          const size = frame();
          for (const [name, value] of [['x1', x], ['x2', x], ['y1', size.top], ['y2', size.bottom], ['visibility', 'visible']]) hair.setAttribute(name, value);
          const tip = byId('tip');
          tip.textContent = new Date(best[0]).toLocaleTimeString() + '\nreal-time ' + rate(best[1]) + '\nasync ' + rate(best[2]);
          tip.style.left = Math.min(Math.max(0, x + 10), box.width - tip.offsetWidth - 2) + 'px';
          tip.classList.add('on');
        }
        byId('plot').addEventListener('pointermove', point);
        byId('plot').addEventListener('pointerleave', () => {
          hair.setAttribute('visibility', 'hidden');
          byId('tip').classList.remove('on');
        });
        new ResizeObserver(draw).observe(chart);
        draw();

        """#
}
