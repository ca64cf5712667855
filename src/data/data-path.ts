/** Data paths as the user writes them: `valid.h5`, or with a colon and what the path alone does not tell, `valid.h5:images,labels`. */
import { UsageError } from '../errors.ts'
import type { PartNames } from './options.ts'

/** A path, and what stood behind a colon. */
export interface DataPath {
	readonly path: string
	readonly names: string | undefined
}

/**
 * Every way to read `text`, the longest path first: all of it, then what stands before its last colon, and so on. Which one is meant only
 * the disk can tell. The colon of a drive letter (`C:\x.h5`) stays in the path.
 */
export function readingsOf(text: string): DataPath[] {
	const readings: DataPath[] = [{ path: text, names: undefined }]
	for (let at = text.lastIndexOf(':'); at > 0; at = text.lastIndexOf(':', at - 1)) {
		const isDrive = at === 1 && /[\\/]/.test(text[2] ?? '')
		if (!isDrive && at < text.length - 1) readings.push({ path: text.slice(0, at), names: text.slice(at + 1) })
	}
	return readings
}

/**
 * `images,labels`, either of which may be left out: `images` or `,labels`. Names may be paths inside the file, `group/images`.
 * @throws UsageError `bad-names` on three or more
 */
export function parsePartNames(names: string): PartNames {
	const [images, labels, ...rest] = names.split(',')
	if (rest.length > 0) {
		throw new UsageError('bad-names', `"${names}": expected two names as in images,labels, found ${rest.length + 2}`)
	}
	return { images: images || undefined, labels: labels || undefined }
}
