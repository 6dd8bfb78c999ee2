/// The part of the page's script that shows figures, pools and batches.
enum PageScriptView {
    static let text = #"""
        'use strict';
        const byId = (id) => document.getElementById(id);
        const make = (tag, className, text) => {
          const element = document.createElement(tag);
          if (className) element.className = className;
          if (text !== undefined) element.textContent = text;
          return element;
        };
        const setText = (element, text) => { if (element.textContent !== text) element.textContent = text; };
        const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
        const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
        const count = (n) => (n < 100000 ? whole.format(n) : compact.format(n));
        const rate = (n) => (n > 0 && n < 10 ? n.toFixed(1) : count(Math.round(n)));
        const ago = (seconds) => {
          const s = Math.max(0, Math.round(seconds));
          if (s < 60) return s + ' s';
          if (s < 3600) return Math.floor(s / 60) + ' min';
          if (s < 172800) return Math.floor(s / 3600) + ' h ' + Math.floor((s % 3600) / 60) + ' min';
          return Math.floor(s / 86400) + ' d';
        };

        // Keeps one row per key in the order given; rows are reused, so nothing flickers and focus stays.
        function keep(parent, items, keyOf, create, update) {
          const rows = parent.rows || (parent.rows = new Map());
          const seen = new Set();
          let at = parent.firstRow || null;
          items.forEach((item, index) => {
            const key = String(keyOf(item));
            seen.add(key);
            let row = rows.get(key);
            if (!row) { row = create(item); rows.set(key, row); }
            update(row, item);
            const place = parent.children[index + (parent.fixed || 0)];
            if (place !== row.root) parent.insertBefore(row.root, place || null);
          });
          for (const [key, row] of rows) if (!seen.has(key)) { row.root.remove(); rows.delete(key); }
        }

        const states = {
          healthy: ['good', 'Healthy'], ejected: ['bad', 'Out of rotation'], draining: ['warn', 'Draining'], unknown: ['', 'Not asked yet'],
        };
        function meter(parent, label, fills, wide) {
          const cell = make('div', 'cell');
          cell.append(make('span', 'label', label));
          const box = make('div', 'meter');
          const track = make('div', 'track');
          const bars = fills.map((name) => { const bar = make('div', 'fill ' + name); track.append(bar); return bar; });
          const value = make('span', wide ? 'wide' : '');
          box.append(track, value);
          cell.append(box);
          parent.append(cell);
          return { bars, value };
        }
        function createEndpoint() {
          const root = make('div', 'endpoint');
          root.setAttribute('role', 'listitem');
          const name = make('div', 'name');
          const title = make('b');
          const sub = make('small');
          name.append(title, sub);
          const state = make('div', 'state');
          const dot = make('span', 'dot');
          const word = make('span');
          state.append(dot, word);
          root.append(name, state);
          const flight = meter(root, 'In flight', ['realtime', 'async'], true);
          const kv = meter(root, 'KV cache', ['kv']);
          const waiting = make('div', 'cell right');
          waiting.append(make('span', 'label', 'Waiting'));
          const waitingValue = make('span');
          waiting.append(waitingValue);
          root.append(waiting);
          return { root, title, sub, dot, word, flight, kv, waitingValue, most: 8 };
        }
        function updateEndpoint(row, endpoint) {
          setText(row.title, endpoint.url.replace(/^https?:\/\//, ''));
          row.title.title = endpoint.url;
          const models = endpoint.models.join(', ');
          setText(row.sub, endpoint.fault || [endpoint.kind === 'unknown' ? '' : endpoint.kind, models].filter(Boolean).join(' · ') || '\u00a0');
          row.sub.title = endpoint.fault || models;
          const [tone, word] = states[endpoint.state] || states.unknown;
          row.dot.className = 'dot ' + tone;
          setText(row.word, word);
          const flight = endpoint.in_flight;
          const total = flight.realtime + flight.async;
          row.most = endpoint.maximum_sequences || Math.max(row.most, total, endpoint.running || 0);
          row.flight.bars[0].style.width = Math.min(100, 100 * flight.realtime / row.most) + '%';
          row.flight.bars[1].style.width = Math.min(100, 100 * flight.async / row.most) + '%';
          setText(row.flight.value, flight.realtime + ' + ' + flight.async);
          const known = endpoint.kv_use !== null;
          row.kv.bars[0].style.width = (known ? Math.min(100, 100 * endpoint.kv_use) : 0) + '%';
          row.kv.bars[0].classList.toggle('high', known && endpoint.kv_use > 0.9);
          setText(row.kv.value, known ? Math.round(100 * endpoint.kv_use) + ' %' : '–');
          setText(row.waitingValue, endpoint.waiting === null ? '–' : count(endpoint.waiting));
        }
        function createPool(pool) {
          const root = make('section', 'card');
          const head = make('div', 'card-head');
          const title = make('h2');
          const note = make('p', 'note');
          head.append(title, note);
          const columns = make('div', 'endpoint columns');
          columns.setAttribute('aria-hidden', 'true');
          for (const text of ['Endpoint', 'State', 'In flight: real-time + async', 'KV cache', 'Waiting']) columns.append(make('div', text === 'Waiting' ? 'right' : '', text));
          const list = make('div', 'table');
          list.setAttribute('role', 'list');
          root.append(head, columns, list);
          return { root, title, note, list };
        }
        function updatePool(row, pool) {
          setText(row.title, 'Pool ' + pool.name);
          row.list.setAttribute('aria-label', 'Endpoints of pool ' + pool.name);
          const well = pool.endpoints.filter((e) => e.state === 'healthy').length;
          setText(row.note, well + ' of ' + pool.endpoints.length + ' healthy · ' + count(pool.queued.realtime) + ' real-time and ' + count(pool.queued.async) + ' async queued');
          keep(row.list, pool.endpoints, (e) => e.id, createEndpoint, updateEndpoint);
        }

        const words = {
          validating: 'Validating', in_progress: 'In progress', finalizing: 'Writing results', completed: 'Completed',
          failed: 'Failed', expired: 'Expired', cancelling: 'Cancelling', cancelled: 'Cancelled',
        };
        function createBatch() {
          const root = make('li', 'batch');
          const head = make('div', 'batch-head');
          const title = make('b');
          const word = make('span');
          head.append(title, word);
          const track = make('div', 'track');
          track.setAttribute('role', 'progressbar');
          track.setAttribute('aria-valuemin', '0');
          track.setAttribute('aria-valuemax', '100');
          const done = make('div', 'fill async');
          const failed = make('div', 'fill failed');
          track.append(done, failed);
          const sub = make('small');
          root.append(head, track, sub);
          return { root, title, word, track, done, failed, sub };
        }
        function updateBatch(row, batch, now) {
          const share = (n) => (batch.total > 0 ? 100 * n / batch.total : 0);
          setText(row.title, batch.id);
          const percent = share(batch.completed + batch.failed);
          const figures = batch.total > 0 ? count(batch.completed + batch.failed) + ' of ' + count(batch.total) + ' lines' : '';
          setText(row.word, [words[batch.status] || batch.status, figures, batch.failed > 0 ? count(batch.failed) + ' failed' : ''].filter(Boolean).join(' · '));
          row.done.style.width = share(batch.completed) + '%';
          row.failed.style.width = share(batch.failed) + '%';
          row.track.setAttribute('aria-valuenow', String(Math.floor(percent)));
          row.track.setAttribute('aria-label', 'Progress of ' + batch.id);
          const open = ['validating', 'in_progress'].includes(batch.status);
          row.root.classList.toggle('over', ['completed', 'failed', 'expired', 'cancelled'].includes(batch.status));
          const left = batch.expires - now;
          setText(row.sub, [batch.model, batch.endpoint, batch.tenant ? 'tenant ' + batch.tenant : '', open && batch.running ? batch.running + ' running' : '',
            open ? (left > 0 ? 'window closes in ' + ago(left) : 'window closed') : 'created ' + ago(now - batch.created) + ' ago'].filter(Boolean).join(' · '));
        }

        function show(picture) {
          document.body.classList.remove('loading');
          setText(byId('version'), picture.version);
          byId('fault').hidden = !picture.store_fault;
          setText(byId('fault-text'), picture.store_fault || '');
          status(picture.draining ? 'warn' : picture.ready ? 'good' : 'warn', picture.draining ? 'Draining' : picture.ready ? 'Live' : 'Not ready');
          const flight = { realtime: 0, async: 0 };
          const queued = { realtime: 0, async: 0 };
          for (const pool of picture.pools) {
            for (const band of ['realtime', 'async']) {
              queued[band] += pool.queued[band];
              for (const endpoint of pool.endpoints) flight[band] += endpoint.in_flight[band];
            }
          }
          // The store knows all lines that wait; without it, what the gateway holds is all that is known.
          if (picture.jobs) queued.async = picture.jobs.pending + picture.jobs.delayed;
          const short = (n) => (n < 10000 ? whole.format(n) : compact.format(n));
          const split = (n) => short(n.realtime) + ' real-time · ' + short(n.async) + ' async';
          setText(byId('flight'), count(flight.realtime + flight.async));
          setText(byId('flight-split'), split(flight));
          setText(byId('queued'), count(queued.realtime + queued.async));
          setText(byId('queued-split'), split(queued));
          const last = points[points.length - 1];
          setText(byId('rate-realtime'), last ? rate(last[1]) : '–');
          setText(byId('rate-async'), last ? rate(last[2]) : '–');
          keep(byId('pools'), picture.pools, (p) => p.name, createPool, updatePool);
          keep(byId('batches'), picture.batches, (b) => b.id, createBatch, (row, batch) => updateBatch(row, batch, picture.time / 1000));
          byId('batches-empty').hidden = picture.batches.length > 0;
          setText(byId('batches-note'), picture.batches_omitted > 0 ? 'and ' + count(picture.batches_omitted) + ' more' : '');
        }
        function status(tone, text) {
          byId('status-dot').className = 'dot ' + tone;
          setText(byId('status-text'), text);
        }

        """#
}
