/** Sets made of picture files: those that the user names one by one, and (in `folder.ts` and `csv.ts`) those of a folder. */
import { decodeImageFile } from './decode.ts'
import { sha256OfFile, sha256OfFiles } from './hash.ts'
import type { ImageSet } from './image-set.ts'
import type { OpenOptions } from './options.ts'
import { pictureSet } from './pictures.ts'

/** Picture files with what is known about them. */
export interface ImageFiles {
	/** What the user named. */
	readonly path: string
	/** The files in the order of the set. */
	readonly files: readonly string[]
	readonly labels: Int32Array | null
	readonly classNames: readonly string[] | null
	sha256(): Promise<string>
}

/**
 * The pictures `paths` as an unlabelled set, for `predict`. `path` of the set is the first one.
 * @throws as `imageFileSet` does
 */
export function openImageFiles(paths: readonly string[], options: OpenOptions = {}): Promise<ImageSet> {
	const first = paths[0] ?? ''
	const sha256 = () => (paths.length === 1 ? sha256OfFile(first) : sha256OfFiles('', paths))
	return imageFileSet({ path: first, files: paths, labels: null, classNames: null, sha256 }, options)
}

/**
 * The set of `source`'s pictures. Nothing but their names and labels is held.
 * @throws FormatError `corrupt-image`, InputError `empty-set` and as `pictureSet` does
 */
export function imageFileSet({ files, ...known }: ImageFiles, options: OpenOptions = {}): Promise<ImageSet> {
	return pictureSet(
		{
			...known,
			count: files.length,
			imageNames: files,
			decode: (index) => decodeImageFile(files[index]!),
			nameOf: (index) => files[index]!,
			close() {},
		},
		options,
	)
}
