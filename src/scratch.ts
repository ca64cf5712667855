/** A temporary file for what does not fit into memory: written once, read back in pieces, gone when the work ends or dies. */
import { randomUUID } from 'node:crypto'
import { open, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MachineError } from './errors.ts'

/** Where numbers can be put aside and fetched again. */
export interface Scratch {
	/** @returns the place to read them back from; null where there is no room for them */
	put(bytes: Uint8Array): Promise<number | null>
	/** `length` bytes from `place` on, a new array. */
	get(place: number, length: number): Promise<Uint8Array>
	close(): Promise<void>
}

/** Share of the free disk that we take at most: others write there too. */
const MAX_SHARE = 0.5

/** A scratch file in the system's temporary folder (`TMPDIR` names another). A full disk is no error: `put` says null. */
export async function openScratch(folder = tmpdir()): Promise<Scratch> {
	const path = join(folder, `goodnet-${randomUUID()}.tmp`)
	const file = await open(path, 'wx+', 0o600)
	// A file without a name is gone even after `kill -9`; Windows does not let go of a name in use, so there it goes at the end.
	const isNameless = await rm(path).then(
		() => true,
		() => false,
	)
	const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: 0, bsize: 0 }))
	const limit = bavail * bsize * MAX_SHARE
	let size = 0
	return {
		async put(bytes) {
			if (size + bytes.length > limit) return null
			const place = size
			size += bytes.length
			return file.write(bytes, 0, bytes.length, place).then(
				({ bytesWritten }) => (bytesWritten === bytes.length ? place : null),
				() => null,
			)
		},
		async get(place, length) {
			const bytes = new Uint8Array(length)
			const { bytesRead } = await file.read(bytes, 0, length, place)
			if (bytesRead !== length)
				throw new MachineError('scratch-lost', `${path}: expected ${length} bytes at ${place}, found ${bytesRead}`)
			return bytes
		},
		async close() {
			await file.close()
			if (!isNameless) await rm(path, { force: true })
		},
	}
}
