/** What a stranger's JSON text holds, to be checked by a schema; null where it is no JSON. */
export function parseJson(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return null
	}
}
