import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { escapeHtml, html } from "../../src/export/html.ts";

test("html`` escapes text and keeps what it has made itself", () => {
  const inner = html`<b>${"<i>"}</b>`;
  assert.equal(
    html`<p title="${'"'}">${inner}${["&", html`<br>`]}${undefined}${3}</p>`.text,
    '<p title="&quot;"><b>&lt;i&gt;</b>&amp;<br>3</p>',
  );
});

test("escapeHtml() lets nothing control, turn the direction of, or hide in what stands beside it", () => {
  assert.equal(
    escapeHtml("a\u0000\u001b[31m\u202e\u200b\ud800\r\nb"),
    "a\ufffd\ufffd[31m\ufffd\ufffd\ufffd\ufffd\nb",
  );
  assert.equal(escapeHtml("Zürich 東京 😀"), "Zürich 東京 😀");
});

test("escapeHtml() gives text that reads the same and holds no markup, whatever it is", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: SPECIAL })), (text) => {
      const escaped = escapeHtml(text);
      assert.doesNotMatch(escaped, /[<>"'`]|&(?!amp;|lt;|gt;|quot;|#39;|#96;)/);
      const shown = text.replaceAll(/\p{C}/gu, (character) => (character === "\n" ? "\n" : "\ufffd"));
      assert.equal(unescaped(escaped), shown);
    }),
  );
});

const SPECIAL = fc.constantFrom(..."&<>\"'`a;#\u0000\u202e\n\ud800");

function unescaped(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&#96;", "`")
    .replaceAll("&amp;", "&");
}
