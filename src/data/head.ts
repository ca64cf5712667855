/** The first bytes of a file, by which formats are recognised. */
import { open } from 'node:fs/promises'

/** At most `length` bytes from the start of the file `path`. */
export async function readHead(path: string, length: number): Promise<Uint8Array> {
	const file = await open(path, 'r')
	try {
		const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0)
		return buffer.subarray(0, bytesRead)
	} finally {
		await file.close()
	}
}

export function startsWith(bytes: Uint8Array, signature: Uint8Array): boolean {
	return signature.every((byte, i) => bytes[i] === byte)
}
