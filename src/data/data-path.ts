/** Data paths as the user writes them: `valid.h5`, or `valid.h5:images,labels` with the names of the arrays inside. */
import type { ArrayNames } from './options.ts'

/**
 * Splits `text` into the file's path and the names behind its extension; `names` is undefined where there are none. The colon of a drive
 * letter (`C:\x.h5`) stands before the extension and stays in the path. Names may be paths inside the file: `x.h5:group/images`.
 */
export function splitDataPath(text: string): { path: string; names: ArrayNames | undefined } {
	const match = /^(.+\.(?:h5|hdf5|hdf|npz)):([^:,]+)(?:,([^:,]+))?$/i.exec(text)
	if (!match) return { path: text, names: undefined }
	const [, path, images, labels] = match as unknown as [string, string, string, string | undefined]
	return { path, names: { images, labels } }
}
