/** Image sets in the lab's own form: HDF5, float64, 0 to 255. */

import type { ImageSet } from 'goodnet/node'
import { File, ready } from 'h5wasm/node'
import { tile } from './tile.ts'

/** Writes the first `count` images of `set`, repeated, to `path`. Holds them whole: 0.7 GB for the lab's 11,547. */
export async function writeLabSet(set: ImageSet, count: number, path: string): Promise<void> {
	const { images, pixels } = await tile(set, count)
	await ready
	const file = new File(path, 'w')
	const { height, width, channels, layout } = set
	const shape = layout === 'NCHW' ? [count, channels, height, width] : [count, height, width, channels]
	file.create_dataset({ name: 'data', data: Float64Array.from(pixels), shape })
	file.create_dataset({ name: 'label', data: Float64Array.from(images.labels!), shape: [count] })
	file.close()
}
