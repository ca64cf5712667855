/** Folders that hold several sets, training and test images: which one is meant. */
import { InputError } from '../errors.ts'

export interface Part {
	/** What the user calls it: `train`, `test` … */
	readonly name: string
	/** Names of its files inside the folder, in order. */
	readonly files: readonly string[]
}

/** Parts that a message lists. */
const MAX_CHOICES = 5

/**
 * The part called `wanted`; without a wish the only one there is.
 * @throws InputError `ambiguous-part` where there are several and none is wanted, `no-part` where the wanted one is absent; both say
 *   how to name each
 */
export function choosePart(parts: readonly Part[], wanted: string | undefined, path: string): Part {
	const part = wanted === undefined ? undefined : parts.find(({ name }) => name === wanted)
	if (part) return part
	const choices = parts
		.slice(0, MAX_CHOICES)
		.map(({ name, files }) => `${path}:${name} (${listed(files)})`)
		.join(' or ')
	if (wanted !== undefined) {
		const message = `${path}: expected a part called "${wanted}", found none; name ${choices}`
		throw new InputError('no-part', message, { path })
	}
	if (parts.length === 1) return parts[0]!
	const message = `${path}: expected one set, found ${parts.length}; name ${choices}`
	throw new InputError('ambiguous-part', message, { path })
}

function listed(files: readonly string[]): string {
	return files.length === 1 ? files[0]! : `${files[0]} and ${files.length - 1} more`
}
