/** SHA-256 of what a set was read from, by streaming. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** SHA-256 of a file's bytes, hex. */
export async function sha256OfFile(path: string): Promise<string> {
	const hash = createHash('sha256')
	await pipeline(createReadStream(path), hash)
	return hash.digest('hex')
}

/**
 * SHA-256 of several files, hex: the digest of one line `HASH  PATH` for each, sorted by path. It is what a shell says to
 * `LC_ALL=C sort` of the paths, `| xargs sha256sum | sha256sum`.
 * @param files paths relative to `folder`, with `/` between their parts
 */
export async function sha256OfFiles(folder: string, files: readonly string[]): Promise<string> {
	const hash = createHash('sha256')
	for (const file of [...files].sort(byBytes)) {
		hash.update(`${await sha256OfFile(join(folder, file))}  ${file}\n`)
	}
	return hash.digest('hex')
}

function byBytes(a: string, b: string): number {
	return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
