/// The page's markup. It holds no data; the script fills it from `/admin/live`.
enum PageMarkup {
    static let text = #"""
        <header class="top">
          <div class="brand">
            <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true"><path class="wave-b" d="M2 22c5 0 5-4 10-4s5 4 10 4 5-4 8-4v10H2z"/><path class="wave-a" d="M2 15c5 0 5-5 10-5s5 5 10 5 5-5 8-5v8c-3 0-3 4-8 4s-5-4-10-4-5 4-10 4z"/></svg>
            <h1>Neap</h1>
            <span class="version" id="version"></span>
          </div>
          <p class="status" id="status" role="status"><span class="dot" id="status-dot"></span><span id="status-text">Connecting</span></p>
        </header>
        <main>
          <section class="notice" id="fault" hidden><strong>Async work is paused.</strong> <span id="fault-text"></span></section>
          <form class="gate" id="gate" hidden>
            <h2>Admin key</h2>
            <p id="gate-text">This gateway asks for a key. It stays in this tab only.</p>
            <div class="gate-row">
              <label class="unseen" for="key">Admin key</label>
              <input id="key" type="password" autocomplete="off" spellcheck="false" placeholder="Key" required>
              <button type="submit">Show</button>
            </div>
          </form>
          <div id="board">
            <section class="figures" aria-label="Now">
              <dl>
                <div class="figure"><dt><i class="swatch realtime"></i>Real-time</dt><dd><b id="rate-realtime">–</b><span>tokens/s</span></dd></div>
                <div class="figure"><dt><i class="swatch async"></i>Async</dt><dd><b id="rate-async">–</b><span>tokens/s</span></dd></div>
                <div class="figure"><dt>In flight</dt><dd><b id="flight">–</b><span id="flight-split">&nbsp;</span></dd></div>
                <div class="figure"><dt>Waiting</dt><dd><b id="queued">–</b><span id="queued-split">&nbsp;</span></dd></div>
              </dl>
            </section>
            <section class="card" aria-labelledby="tide-title">
              <div class="card-head">
                <h2 id="tide-title">Output, last five minutes</h2>
                <p class="legend"><span><i class="swatch realtime"></i>real-time</span><span><i class="swatch async"></i>async</span></p>
              </div>
              <div class="plot" id="plot">
                <svg id="chart" role="img" aria-label="Output tokens per second over the last five minutes"></svg>
                <div class="tip" id="tip" aria-hidden="true"></div>
              </div>
            </section>
            <div id="pools"></div>
            <section class="card" aria-labelledby="batches-title">
              <div class="card-head"><h2 id="batches-title">Batches</h2><p class="note" id="batches-note"></p></div>
              <ul class="batches" id="batches"></ul>
              <p class="empty" id="batches-empty">No batch is open. Upload a file with <code>purpose=batch</code>, then create a batch: it runs in the gaps that real-time traffic leaves.</p>
            </section>
          </div>
        </main>
        <footer><a href="/metrics">metrics</a><a href="/readyz">readiness</a><a href="/v1/models">models</a></footer>
        <noscript><p class="noscript">This page needs JavaScript. The same figures are at <a href="/metrics">/metrics</a>.</p></noscript>
        """#
}
