/// The page's style sheet. Sizes that depend on data are reserved, so that nothing moves when figures arrive.
enum PageStyle {
    static let text = #"""
        :root{color-scheme:light dark;
          --bg:#f4f6f5;--card:#fff;--ink:#15222a;--soft:#566670;--line:#e0e6e6;--track:#e9eeee;
          --realtime:#1c6fb8;--async:#2ea58a;--good:#1f8a5b;--warn:#a86200;--bad:#c0392b;
          --shade:0 1px 2px rgb(20 40 50/.05),0 6px 20px rgb(20 40 50/.05)}
        @media (prefers-color-scheme:dark){:root{
          --bg:#0c1317;--card:#141d23;--ink:#e3ebee;--soft:#94a5af;--line:#24313a;--track:#1f2b33;
          --realtime:#5aa9ea;--async:#46c3a2;--good:#4cc38a;--warn:#e0a44a;--bad:#f0796c;
          --shade:0 1px 2px rgb(0 0 0/.3)}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums;overflow-y:scroll}
        h1,h2,h3,p,dl,dd,ul{margin:0;padding:0}
        ul{list-style:none}
        h1{font-size:1.2rem;font-weight:650;letter-spacing:-.01em}
        h2{font-size:.95rem;font-weight:620}
        a{color:inherit}
        code{font:.92em ui-monospace,"SF Mono",Menlo,Consolas,monospace;background:var(--track);padding:.1em .35em;border-radius:5px}
        :focus-visible{outline:2px solid var(--realtime);outline-offset:2px;border-radius:6px}
        .unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
        [hidden]{display:none!important}
        .loading #board,.loading footer{visibility:hidden}
        .top,main,footer,.noscript{max-width:1180px;margin:0 auto;padding:0 20px}
        .top{display:flex;align-items:center;justify-content:space-between;gap:12px;height:68px}
        .brand{display:flex;align-items:center;gap:10px}
        .brand svg{flex:none}
        .wave-a{fill:var(--realtime)}.wave-b{fill:var(--async)}
        .version,.note{color:var(--soft);font-size:.85rem}
        .status{display:flex;align-items:center;gap:8px;font-size:.9rem;color:var(--soft);white-space:nowrap}
        .dot{width:9px;height:9px;border-radius:50%;background:var(--soft);flex:none}
        .good{--dot:var(--good)}.warn{--dot:var(--warn)}.bad{--dot:var(--bad)}
        .dot.good,.dot.warn,.dot.bad{background:var(--dot)}
        main{display:block;padding-bottom:8px}
        .card,.figures,.gate,.notice{background:var(--card);border:1px solid var(--line);border-radius:14px;box-shadow:var(--shade);margin-bottom:16px}
        .card{padding:18px 20px 20px}
        .card-head{display:flex;align-items:baseline;justify-content:space-between;gap:4px 16px;flex-wrap:wrap;margin-bottom:12px}
        .notice{padding:12px 20px;border-color:var(--warn)}
        .gate{padding:22px 20px;max-width:440px;margin:8vh auto}
        .gate p{color:var(--soft);margin:4px 0 14px}
        .gate-row{display:flex;gap:8px}
        .gate input{flex:1;min-width:0}
        .gate input,.gate button{font:inherit;padding:9px 12px;border-radius:9px;border:1px solid var(--line);background:var(--bg);color:inherit}
        .gate button{background:var(--ink);color:var(--card);border-color:var(--ink);font-weight:600;cursor:pointer}
        .figures dl{display:grid;grid-template-columns:repeat(4,1fr)}
        .figure{padding:16px 20px;min-width:0}
        .figure+.figure{border-left:1px solid var(--line)}
        .figure dt{display:flex;align-items:center;gap:7px;color:var(--soft);font-size:.86rem}
        .figure dd{white-space:nowrap}
        .figure b{display:block;font-size:1.9rem;font-weight:600;letter-spacing:-.02em;line-height:2.5rem}
        .figure dd span{display:block;color:var(--soft);font-size:.82rem;overflow:hidden;text-overflow:ellipsis}
        .swatch{width:10px;height:10px;border-radius:3px;display:inline-block;flex:none}
        .swatch.realtime,.fill.realtime{background:var(--realtime)}
        .swatch.async,.fill.async{background:var(--async)}
        .legend{display:flex;gap:16px;color:var(--soft);font-size:.86rem}
        .legend span{display:inline-flex;align-items:center;gap:6px}
        .plot{position:relative;height:240px}
        .plot svg{display:block;width:100%;height:100%;overflow:visible}
        .grid{stroke:var(--line);stroke-width:1}
        .axis{fill:var(--soft);font-size:11.5px}
        .area-realtime{fill:var(--realtime);fill-opacity:.82}
        .area-async{fill:var(--async);fill-opacity:.72}
        .hair{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3}
        .tip{position:absolute;top:6px;left:0;pointer-events:none;background:var(--card);border:1px solid var(--line);border-radius:9px;padding:6px 10px;font-size:.82rem;line-height:1.45;box-shadow:var(--shade);opacity:0;white-space:pre}
        .tip.on{opacity:1}
        .table{display:grid;gap:0}
        .endpoint{display:grid;grid-template-columns:minmax(0,2.2fr) minmax(0,1fr) minmax(0,1.7fr) minmax(0,1.4fr) 4.2rem;gap:4px 20px;align-items:center;padding:11px 0;border-top:1px solid var(--line);min-height:62px}
        .columns{border-top:0;min-height:0;padding:0 0 8px;color:var(--soft);font-size:.8rem}
        .name{min-width:0}
        .name b{display:block;font-weight:560;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
        .name small,.cell small{display:block;color:var(--soft);font-size:.8rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
        .state{display:flex;align-items:center;gap:8px;font-size:.88rem}
        .meter{display:flex;align-items:center;gap:10px}
        .track{flex:1;height:8px;border-radius:4px;background:var(--track);overflow:hidden;display:flex;min-width:40px}
        .fill{height:100%;width:0;transition:width .5s ease}
        .fill.kv{background:var(--soft)}.fill.kv.high{background:var(--warn)}
        .fill.failed{background:var(--bad)}
        .meter span{font-size:.85rem;min-width:4.4ch;text-align:right}
        .meter span.wide{min-width:8ch}
        .right{text-align:right}
        .cell.right{font-size:.88rem}
        .label{display:none;color:var(--soft);font-size:.8rem}
        .batch{padding:12px 0;border-top:1px solid var(--line);min-height:74px}
        .batch:first-child{border-top:0;padding-top:0}
        .batch-head{display:flex;justify-content:space-between;gap:4px 16px;flex-wrap:wrap;margin-bottom:7px}
        .batch-head b{font:500 .88rem ui-monospace,"SF Mono",Menlo,Consolas,monospace;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;max-width:100%;padding-bottom:2px}
        .batch-head span{color:var(--soft);font-size:.86rem}
        .batch small{display:block;color:var(--soft);font-size:.8rem;margin-top:6px}
        .batch .track{height:10px;border-radius:5px}
        .batch.over .fill{opacity:.55}
        .empty{color:var(--soft);max-width:62ch}
        footer{display:flex;gap:18px;padding-top:6px;padding-bottom:28px;color:var(--soft);font-size:.86rem}
        @media (max-width:760px){
          .top,main,footer{padding-left:12px;padding-right:12px}
          .top{height:58px}
          .card{padding:15px 14px 16px}
          .figures dl{grid-template-columns:1fr 1fr}
          .figure{padding:11px 14px}
          .figure:nth-child(3){border-left:0}
          .figure:nth-child(n+3){border-top:1px solid var(--line)}
          .figure b{font-size:1.5rem;line-height:2.1rem}
          .figure:nth-child(n+3) dd span{white-space:normal;min-height:2.5rem;line-height:1.25rem}
          .plot{height:190px}
          .columns{display:none}
          .endpoint{grid-template-columns:1fr auto;gap:7px 12px;padding:13px 0}
          .endpoint .cell{grid-column:1/-1;display:grid;grid-template-columns:4.6rem 1fr;align-items:center;gap:10px}
          .endpoint .cell.right{text-align:left}
          .label{display:block}
          .meter span,.meter span.wide{min-width:8ch}
        }
        @media (prefers-reduced-motion:reduce){.fill{transition:none}}
        """#
}
