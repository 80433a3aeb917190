// TraceQL for CodeMirror: the same tokens as everywhere, as a stream language with our own class names.
import { HighlightStyle, LanguageSupport, StreamLanguage, bracketMatching, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { tagHighlighter, tags } from "@lezer/highlight";
import { tokenAt, type TokenKind } from "../traceql/tokens";

const TAGS = {
  keyword: tags.keyword, attribute: tags.propertyName, string: tags.string, number: tags.number,
  constant: tags.bool, operator: tags.operator, bracket: tags.bracket, comment: tags.comment,
} satisfies Partial<Record<TokenKind, unknown>>;

const language = StreamLanguage.define<{ commented: boolean }>({
  name: "traceql",
  startState: () => ({ commented: false }),
  token(stream, state) {
    if (state.commented) {
      state.commented = !stream.match(/^.*?\*\//);
      if (state.commented) stream.skipToEnd();
      return "comment";
    }
    const token = tokenAt(stream.string.slice(stream.pos));
    stream.pos += Math.max(1, token.text.length);
    state.commented = token.text.startsWith("/*") && !/^\/\*[^]*\*\/$/.test(token.text);
    return token.kind in TAGS ? token.kind : null;
  },
  tokenTable: TAGS,
  languageData: { closeBrackets: { brackets: ["{", "(", '"', "`"] }, commentTokens: { line: "//" } },
});

/** Returns highlighting and bracket matching for TraceQL. */
export function traceql(): Extension {
  const highlighter = tagHighlighter(Object.entries(TAGS).map(([kind, tag]) => ({ tag, class: `tok-${kind}` })));
  return [new LanguageSupport(language), syntaxHighlighting(highlighter as HighlightStyle), bracketMatching()];
}
