/// The part of the page's script that follows `/admin/live`. It fetches the stream itself, because an `EventSource`
/// cannot send a key.
enum PageScriptStream {
    static let text = #"""
        let key = sessionStorage.getItem('neap-key') || '';
        let following = null;

        function take(name, picture) {
          if (name === 'hello') points = [];
          for (const p of picture.points) if (!points.length || p[0] > points[points.length - 1][0]) points.push(p);
          show(picture);
          draw();
          describe();
        }
        // One event ends with an empty line; a line is `field: value`.
        function split(text) {
          const events = text.split('\n\n');
          const rest = events.pop();
          for (const event of events) {
            let name = 'message', data = '';
            for (const line of event.split('\n')) {
              if (line.startsWith('event: ')) name = line.slice(7);
              if (line.startsWith('data: ')) data += line.slice(6);
            }
            if (data) take(name, JSON.parse(data));
          }
          return rest;
        }
        function ask(text) {
          byId('gate').hidden = false;
          byId('board').hidden = true;
          document.body.classList.remove('loading');
          setText(byId('gate-text'), text);
          status('warn', 'Key needed');
        }
        async function follow(signal) {
          const headers = key ? { authorization: 'Bearer ' + key } : {};
          const answer = await fetch('/admin/live', { headers, signal, cache: 'no-store' });
          if (answer.status === 401 || answer.status === 403) {
            sessionStorage.removeItem('neap-key');
            ask(!key ? 'This gateway asks for a key. It stays in this tab only.' : answer.status === 401 ? 'That key is not known here.' : 'That key is no admin key.');
            return false;
          }
          if (answer.status === 429) throw new Error('Too many viewers');
          if (!answer.ok) throw new Error('No live figures');
          if (key) sessionStorage.setItem('neap-key', key);
          byId('gate').hidden = true;
          byId('board').hidden = false;
          const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
          let rest = '';
          for (;;) {
            const { value, done } = await reader.read();
            if (done) return true;
            rest = split(rest + value);
          }
        }
        async function run() {
          if (following) following.abort();
          const mine = following = new AbortController();
          let wait = 1000;
          for (;;) {
            let text = 'Connection lost';
            try {
              const began = Date.now();
              if (!await follow(mine.signal)) return;
              if (Date.now() - began > 10000) wait = 1000;
            } catch (error) {
              if (mine.signal.aborted) return;
              if (error.message === 'Too many viewers') text = error.message;
            }
            status('bad', text + ', trying again');
            await new Promise((done) => setTimeout(done, wait));
            if (mine.signal.aborted) return;
            wait = Math.min(wait * 2, 10000);
          }
        }
        byId('gate').addEventListener('submit', (event) => {
          event.preventDefault();
          key = byId('key').value.trim();
          byId('key').value = '';
          run();
        });
        run();
        """#
}
