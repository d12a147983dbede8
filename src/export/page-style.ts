import { createHash } from "node:crypto";

/** The page's one style sheet. Colours are chosen for 4.5:1 at least, by day and by night. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--bg:#f7f7f5;--card:#fff;--text:#1c2227;--soft:#57636d;--line:#dfe3e6;--link:#1d57a8;
--good:#1b7a46;--warn:#8a5a00;--bad:#b3261e;--warnbg:#fdf5e3;--badbg:#fdeeec;--bar:#8fb2dd}
@media(prefers-color-scheme:dark){:root{--bg:#101316;--card:#171b1f;--text:#dbe1e6;--soft:#94a1ac;--line:#2a3137;--link:#86b4f5;
--good:#69c592;--warn:#e0b04a;--bad:#ff9088;--warnbg:#241f12;--badbg:#2a1817;--bar:#3f628f}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;max-width:78rem;padding:1.25rem 1.5rem 2.5rem;background:var(--bg);color:var(--text);
font:.875rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:2px}
h1,h2,p,ul,dl,dd{margin:0;padding:0}
h1{font-size:1.375rem;line-height:1.2;font-weight:650;overflow-wrap:anywhere}
h2{font-size:.9375rem;font-weight:650;margin:0 0 .5rem}
h2 small,h1 small{font-size:.8125rem;font-weight:400;color:var(--soft)}
section{margin-top:1.5rem}
code{font:.8125rem/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.soft{color:var(--soft)}.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.top{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:.25rem 1.5rem}
header .soft{margin-top:.15rem}
.state{font-weight:600}
.state::before{content:"";display:inline-block;width:.6em;height:.6em;border-radius:50%;background:currentColor;margin-right:.45em}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:.75rem;margin-top:1rem}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem}
.tile{padding:.7rem .9rem .75rem;min-width:0}
.tile dt{color:var(--soft);font-size:.8125rem}
.tile dd b{display:block;font-size:1.625rem;line-height:1.3;font-weight:600}
.tile em{font-style:normal}
.tile dd b span{font-size:.875rem;font-weight:400;color:var(--soft)}
.tile svg{display:block;width:100%;height:1.5rem;margin-top:.15rem}
svg rect{fill:var(--bar)}
.parts{list-style:none;display:grid;gap:.5rem}
.parts li{background:var(--warnbg);border:1px solid var(--line);border-left:4px solid var(--warn);border-radius:.375rem;padding:.5rem .8rem;overflow-wrap:anywhere}
.parts li.failing{background:var(--badbg);border-left-color:var(--bad)}
.card{overflow:hidden}
table{width:100%;border-collapse:collapse}
th,td{padding:.4rem .6rem;text-align:left;vertical-align:baseline;border-top:1px solid var(--line);overflow-wrap:anywhere}
.under{display:block;font-weight:400}
th:first-child,td:first-child{padding-left:.9rem}
th:last-child,td:last-child{padding-right:.9rem}
thead th{border-top:0;color:var(--soft);font-weight:500;font-size:.8125rem;white-space:nowrap}
tbody th{font-weight:500}
.num{text-align:right;white-space:nowrap}
.fix,.ip4 span{white-space:nowrap}
.ip4,.ip6{font:.75rem/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.to{color:var(--soft)}
.lost td{color:var(--soft)}
td small,th small.under{font-size:.8125rem;color:var(--soft)}
.share{width:7rem}
.share svg{display:block;width:100%;height:.5rem}
.note{padding:.55rem .9rem;color:var(--soft);border-top:1px solid var(--line)}
.pad{padding:.9rem}
.pad p+p{margin-top:.4rem}
.two{display:grid;grid-template-columns:9fr 10fr;gap:0 1rem}
.two section{min-width:0}
th small.warn{color:var(--warn)}
.blind{padding-left:1.1rem;margin-top:.25rem}
footer{margin-top:1.75rem;color:var(--soft);display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
@media(max-width:56rem){.tiles{grid-template-columns:1fr 1fr}.two{display:block}}
@media(max-width:40rem){
body{padding:.9rem .8rem 2rem}
.tile{padding:.55rem .7rem}
.tile dd b{font-size:1.375rem}
table.fold,.fold tbody,.fold tr,.fold td,.fold th{display:block}
.fold thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.fold tr{border-top:1px solid var(--line);padding:.5rem .8rem;display:flex;flex-wrap:wrap;gap:.05rem 1rem}
.fold tr:first-child{border-top:0}
.fold td,.fold th{border:0;padding:0!important;text-align:left;white-space:normal}
.fold .wide{flex:1 0 100%}
.fold td[data-label]::before{content:attr(data-label) " ";color:var(--soft)}
.fold .later{order:1}
.fold .none{display:none}
}
`;

const hash = createHash("sha256").update(PAGE_STYLE).digest("base64");

/** What the page may do: show itself in its own style, which it says by its hash, and reload. Nothing else, whatever is written in it. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
