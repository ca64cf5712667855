/** HTML that escapes by default: what comes from a file can never become markup. */

/** A piece of HTML that is safe to insert. Only `markup` and `trusted` make one. */
export class Markup {
	readonly html: string
	constructor(html: string) {
		this.html = html
	}
}

type Insert = Markup | string | number | readonly Insert[]

/** A template tag: strings and numbers are escaped, `Markup` is inserted as it is, arrays are joined. */
export function markup(strings: TemplateStringsArray, ...inserts: readonly Insert[]): Markup {
	return new Markup(strings.map((text, place) => (place === 0 ? text : toHtml(inserts[place - 1]) + text)).join(''))
}

/** Marks HTML that our own code made (a figure, a style sheet) as safe. Never for text that a file or a user supplied. */
export function trusted(html: string): Markup {
	return new Markup(html)
}

function toHtml(insert: Insert | undefined): string {
	if (insert instanceof Markup) return insert.html
	if (typeof insert === 'string' || typeof insert === 'number') return escapeHtml(String(insert))
	return insert?.map(toHtml).join('') ?? ''
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeHtml(text: string): string {
	return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
