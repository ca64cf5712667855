/** A figure on the page, with its title and what it shows. */
import { type Markup, markup, trusted } from './markup.ts'

/** Nothing where there is no figure. */
export function figureSection(title: string, svg: string | null, caption: string): Markup {
	if (svg === null) return markup``
	return markup`<section>
<h2>${title}</h2>
<figure>${trusted(svg)}
<figcaption>${caption}</figcaption></figure>
</section>`
}
