/** What a stranger's JSON text holds, to be checked by a schema; null where it is no JSON. */
export function parseJson(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return null
	}
}

/** `settings` as a record keeps them: its lists can be written to, those of `settings` stay as they are. */
export function copyOfLists<Single extends string | number | boolean, Item>(
	settings: Readonly<Record<string, Single | readonly Item[]>>,
): Record<string, Single | Item[]> {
	const entries = Object.entries(settings)
	return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === 'object' ? [...value] : value]))
}
