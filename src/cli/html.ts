// Pieces of a page as text. Whatever is put into one is escaped, unless it is such a piece itself.

/** Text that is HTML. */
export class Html {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

type Piece = Html | string | number | readonly Piece[];

/** A piece of a page: html`<p>${text}</p>`. */
export function html(parts: TemplateStringsArray, ...values: Piece[]): Html {
  return new Html(parts.map((part, i) => part + (i < values.length ? written(values[i]!) : "")).join(""));
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function written(piece: Piece): string {
  if (piece instanceof Html) return piece.text;
  if (Array.isArray(piece)) return piece.map(written).join("");
  return String(piece).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
