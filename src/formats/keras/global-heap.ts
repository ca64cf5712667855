/**
 * Checks an HDF5 file's global heaps before the HDF5 library reads them. The library (2.0.0, in h5wasm 0.10.3) trusts the sizes of the
 * objects in a heap, and never ends where one of them leads nowhere: one flipped bit of a real file is enough, and nothing can interrupt
 * WebAssembly. Found by fuzzing: 12 of 12,749 damaged files hung, all of them here.
 */

/**
 * `GCOL` and version 1 (HDF5 file format specification, III.E). Weights do not hold these bytes by chance: one of them would be the
 * exponent of a float32 far larger or smaller than any weight.
 */
const HEAP_START = [0x47, 0x43, 0x4f, 0x4c, 1]

/** Of a heap and of each object in it: two or four bytes each of number, references and padding, then eight of size. */
const HEADER_BYTES = 16

/** Where the first global heap stands whose objects do not fit together; -1 for none. `bytes` is the whole file. */
export function brokenHeapAt(bytes: Uint8Array): number {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
	let at = nextHeap(bytes, 0)
	while (at >= 0) {
		if (isBroken(view, at)) return at
		at = nextHeap(bytes, at + HEAP_START.length)
	}
	return -1
}

function nextHeap(bytes: Uint8Array, from: number): number {
	let at = bytes.indexOf(HEAP_START[0] as number, from)
	while (at >= 0 && !HEAP_START.every((byte, index) => bytes[at + index] === byte))
		at = bytes.indexOf(HEAP_START[0] as number, at + 1)
	return at
}

/** Walks from one object to the next by its size, as the library does: each must end inside the heap, the free one has a size too. */
function isBroken(view: DataView, heap: number): boolean {
	if (heap + HEADER_BYTES > view.byteLength) return false
	const end = heap + sizeAt(view, heap)
	if (end > view.byteLength) return true
	let at = heap + HEADER_BYTES
	while (at + HEADER_BYTES <= end) {
		const isFree = view.getUint16(at, true) === 0
		const size = sizeAt(view, at)
		if (isFree && size === 0) return true
		at += isFree ? size : HEADER_BYTES + Math.ceil(size / 8) * 8
	}
	return at > end
}

function sizeAt(view: DataView, header: number): number {
	return Number(view.getBigUint64(header + 8, true))
}
