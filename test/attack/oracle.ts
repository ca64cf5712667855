/** The values that `oracle.py` stored, as arrays. */
import { readFileSync } from 'node:fs'
import type { ImageSize } from '../../src/data/image-set.ts'

interface Stored {
	readonly dims: number[]
	readonly values: number[]
}

interface Oracle {
	readonly wanet: readonly {
		readonly k: number
		readonly s: number
		readonly image: Stored
		readonly control: Stored
		readonly upsampled: Stored
		readonly grid: Stored
		readonly warped: Stored
	}[]
	readonly squeezed: readonly {
		readonly bits: number
		readonly image: Stored
		readonly plain: Stored
		readonly dithered: Stored
	}[]
	readonly smooth: readonly { readonly side: number; readonly coefficients: Stored; readonly plane: Stored }[]
	readonly pasted: readonly {
		readonly row: number
		readonly column: number
		readonly image: Stored
		readonly rgba: Stored
		readonly pasted: Stored
	}[]
}

export const oracle: Oracle = JSON.parse(readFileSync(new URL('oracle.json', import.meta.url), 'utf8'))

/** A stored image `[height, width, channels]`. */
export function imageOf({ dims, values }: Stored): { readonly size: ImageSize; readonly pixels: Uint8Array } {
	const [height = 0, width = 0, channels = 0] = dims
	return { size: { height, width, channels }, pixels: Uint8Array.from(values) }
}
