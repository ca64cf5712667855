/** Binary PGM and PPM pictures (P5, P6), as the traffic-sign set GTSRB has them; sharp does not read them. Source: netpbm.sourceforge.net/doc/ppm.html */
import type { RawImage } from './decode.ts'

/** A header with comments rarely takes 100 bytes. */
const MAX_HEADER_BYTES = 4096

/** Whether `bytes` begin as a binary PGM or PPM does. */
export function isPnm(bytes: Uint8Array): boolean {
	return bytes[0] === 0x50 && (bytes[1] === 0x35 || bytes[1] === 0x36)
}

/**
 * Decodes a binary PGM or PPM of 8 bits. The pixels are a view of `bytes`.
 * @throws Error, saying what is wrong, on a broken header or too few pixels; the caller knows the file's name and wraps it
 */
export function decodePnm(bytes: Uint8Array): RawImage {
	const header = new TextDecoder('latin1').decode(bytes.subarray(0, MAX_HEADER_BYTES))
	const space = '(?:\\s|#[^\\n]*\\n)+'
	const match = new RegExp(`^P([56])${space}(\\d{1,9})${space}(\\d{1,9})${space}(\\d{1,9})\\s`).exec(header)
	if (!match) throw new Error('the PPM header is broken')
	const [width, height, maximum] = match.slice(2).map(Number) as [number, number, number]
	if (maximum !== 255) throw new Error(`expected a PPM of 8 bits (maximum 255), found a maximum of ${maximum}`)
	const channels = match[1] === '6' ? 3 : 1
	const begin = match[0].length
	const length = width * height * channels
	if (length === 0 || bytes.length < begin + length) {
		throw new Error(`expected ${length} bytes of pixels, found ${bytes.length - begin}`)
	}
	return { width, height, channels, pixels: bytes.subarray(begin, begin + length) }
}
