/** The checksum of zip archives: CRC-32 with the polynomial of ISO 3309, reflected (PKWARE APPNOTE, 4.4.7). */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
	let rest = byte
	for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
	return rest
})

/** CRC-32 of `bytes`, 0..2³²−1. */
export function crc32(bytes: Uint8Array): number {
	let crc = 0xffffffff
	for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 0xff]!
	return (crc ^ 0xffffffff) >>> 0
}
