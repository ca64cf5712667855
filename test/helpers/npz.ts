/** Writes small `.npz` sets of uint8 images, as a user's Python script would. */
import { writeFileSync } from 'node:fs'
import { zipSync } from 'fflate'

interface PlainImages {
	readonly pixels: Uint8Array
	/** `[N, …]` of the images. */
	readonly dims: readonly number[]
	/** Null for an unlabelled set. */
	readonly labels: ArrayLike<number> | null
}

export interface LabelledImages extends PlainImages {
	readonly labels: ArrayLike<number>
}

export function writeImages(path: string, { pixels, dims, labels }: PlainImages): void {
	const data = { 'data.npy': npy('|u1', dims, pixels) }
	const ints = labels && new Uint8Array(Int32Array.from(labels).buffer)
	const files = ints ? { ...data, 'label.npy': npy('<i4', [ints.length / 4], ints) } : data
	writeFileSync(path, zipSync(files, { level: 0 }))
}

/** NumPy's format 1.0 (numpy.lib.format), written here independently of the reader under test. */
function npy(descr: string, dims: readonly number[], bytes: Uint8Array): Uint8Array {
	const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ')
	const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`
	const padded = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)
	const header = new TextEncoder().encode(`\u0093NUMPY\u0001\u0000__${padded}\n`).slice(1)
	header[0] = 0x93
	new DataView(header.buffer).setUint16(8, padded.length + 1, true)
	return Uint8Array.from([...header, ...bytes])
}
