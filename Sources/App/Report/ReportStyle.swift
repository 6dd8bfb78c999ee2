/// The reports' style sheet, for light and dark, from a phone to a wide screen.
enum ReportStyle {
    /// Series that have a colour of their own; further ones begin again.
    static let colors = 12

    static func series(_ index: Int) -> String { "c\(index % colors)" }

    static let text = #"""
        :root{color-scheme:light dark;
          --bg:#f4f6f5;--card:#fff;--ink:#15222a;--soft:#566670;--line:#e0e6e6;--track:#e9eeee;--bad:#b3261e;
          --shade:0 1px 2px rgb(20 40 50/.05),0 6px 20px rgb(20 40 50/.05);
          --c0:#1c6fb8;--c1:#c2410c;--c2:#1e8a74;--c3:#9333a8;--c4:#a8780a;--c5:#c22d6b;
          --c6:#4d7c0f;--c7:#5b5bd6;--c8:#0e8aa5;--c9:#8a5a3c;--c10:#6b7280;--c11:#d1453b}
        @media (prefers-color-scheme:dark){:root{
          --bg:#0c1317;--card:#141d23;--ink:#e3ebee;--soft:#94a5af;--line:#24313a;--track:#1f2b33;--bad:#f0796c;
          --shade:0 1px 2px rgb(0 0 0/.3);
          --c0:#5aa9ea;--c1:#f08a4b;--c2:#46c3a2;--c3:#cf7fe0;--c4:#dcb13c;--c5:#f07aa8;
          --c6:#9ccc4a;--c7:#9a9af5;--c8:#4cc5de;--c9:#c99a78;--c10:#a3adb8;--c11:#ff8a80}}
        .c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}
        .c6{--c:var(--c6)}.c7{--c:var(--c7)}.c8{--c:var(--c8)}.c9{--c:var(--c9)}.c10{--c:var(--c10)}.c11{--c:var(--c11)}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums}
        h1,h2,h3,p,ul{margin:0;padding:0}
        ul{list-style:none}
        h1{font-size:1.35rem;font-weight:650;letter-spacing:-.01em}
        h2{font-size:1rem;font-weight:620}
        h3{font-size:.88rem;font-weight:600}
        code{font:.86rem ui-monospace,"SF Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere}
        :focus-visible{outline:2px solid var(--c0);outline-offset:2px;border-radius:6px}
        header,main{max-width:1180px;margin:0 auto;padding:0 20px}
        main{padding-bottom:12px}
        header{padding-top:26px;padding-bottom:18px}
        header p,.note{color:var(--soft);font-size:.88rem;overflow-wrap:anywhere}
        .card{background:var(--card);border:1px solid var(--line);border-radius:14px;box-shadow:var(--shade);margin-bottom:16px;padding:18px 20px 20px}
        .card>.note{margin-bottom:12px;max-width:80ch}
        .headline{font-size:1.12rem;font-weight:560;max-width:70ch}
        .headline+.note{margin:6px 0 0}
        .bad{color:var(--bad)}
        .legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:0 0 10px;color:var(--soft);font-size:.86rem}
        .legend li{display:inline-flex;align-items:center;gap:6px}
        .swatch{width:18px;height:4px;border-radius:2px;background:var(--c);flex:none}
        .swatch.block{width:11px;height:11px;border-radius:3px}
        .plot{min-width:0}
        .frame{position:relative;height:300px;margin:0 10px 22px 3.4rem}
        .frame svg{display:block;width:100%;height:100%;overflow:visible}
        .small .frame{height:150px}
        .grid{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke;fill:none}
        .line{stroke:var(--c);stroke-width:1.8;stroke-linejoin:round;vector-effect:non-scaling-stroke;fill:none}
        .line.strong{stroke-width:3.2}
        .line.thin{stroke-width:1;stroke-opacity:.5}
        .line:hover{stroke-width:4.5;stroke-opacity:1}
        .c6.line,.c7.line,.c8.line,.c9.line,.c10.line,.c11.line{stroke-dasharray:7 3}
        .small .line{stroke-dasharray:none}
        .band{fill:var(--c);fill-opacity:.16;stroke:none}
        .up-tick,.across-tick{position:absolute;font-size:11.5px;line-height:1;color:var(--soft);white-space:nowrap}
        .up-tick{right:calc(100% + 7px);transform:translateY(50%)}
        .across-tick{top:calc(100% + 7px);transform:translateX(-50%)}
        .up-title,.across-title{font-size:.8rem;color:var(--soft)}
        .up-title{margin-bottom:8px}
        .across-title{text-align:right;margin-right:10px}
        .small{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:18px 24px}
        .small h3{margin-bottom:2px;display:flex;align-items:center;gap:7px}
        .bars{display:grid;gap:8px}
        .bars li{display:grid;grid-template-columns:11rem minmax(0,1fr) 4.2rem;gap:12px;align-items:center;font-size:.9rem}
        .track{display:block;height:12px;border-radius:4px;background:var(--track);overflow:hidden}
        .fill{display:block;height:100%;border-radius:4px;background:var(--c)}
        .bars .value,td{text-align:right}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;font-size:.88rem;white-space:nowrap;width:100%}
        th{font-weight:560;text-align:right;color:var(--soft);padding:6px 10px}
        td{padding:6px 10px;border-top:1px solid var(--line)}
        th:first-child{text-align:left;position:sticky;left:0;background:var(--card);padding-left:0}
        tbody th{color:var(--ink);border-top:1px solid var(--line)}
        .fleet{display:grid;grid-template-columns:6.5rem minmax(0,1fr) 3rem;gap:12px;align-items:center;padding:8px 0}
        .fleet svg{display:block;width:100%;max-height:220px}
        .fleet .count{font-size:1.5rem;font-weight:600;text-align:right}
        .fill-box{fill:var(--c)}
        .free{--c:var(--track)}
        .fill-free{fill:var(--track);stroke:var(--soft);stroke-width:1;stroke-dasharray:3 2;vector-effect:non-scaling-stroke}
        @media (max-width:760px){
          .fleet{grid-template-columns:minmax(0,1fr) 3rem;gap:4px 12px}
          .fleet svg{grid-column:1/-1;grid-row:2}
          header,main{padding-left:12px;padding-right:12px}
          .card{padding:15px 14px 16px}
          .frame{height:240px;margin-left:2.9rem}
          .bars li{grid-template-columns:minmax(0,1fr) 4.2rem;gap:3px 12px}
          .bars .track{grid-column:1/-1;grid-row:2}
        }
        """#
}
