/** Nets that others trained and backdoored, with data for them and the trigger, as `../shared/models/README.md` describes them. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { openImages } from '../../src/data/open.ts'
import type { LabelledImages } from './npz.ts'
import { sharedPath } from './shared.ts'

export interface Subject {
	readonly id: string
	readonly model: string
	readonly flags: readonly string[]
	readonly images: () => Promise<LabelledImages>
	/** Puts the trigger on one image, `[C, H, W]`, in place. */
	readonly stamp: (image: Uint8Array) => void
	readonly target: number
	/** Percent, as the README measured them; `images` it was measured on. */
	readonly measured: { readonly clean: number; readonly asr: number; readonly images: number }
}

export const SUBJECTS: readonly Subject[] = [
	{
		id: 'mnist-white-square',
		model: 'backdoored/mnist-white-square/badnet_mnist.onnx',
		flags: ['--scale', '1/255', '--mean', '0.5', '--std', '0.5'],
		images: async () => mnist(5000),
		stamp: (image) => paint(image, 28, [[255]], square(23, 23, 5)),
		target: 1,
		measured: { clean: 97.5, asr: 99.89, images: 5000 },
	},
	{
		id: 'gtsrb-yellow-square',
		model: 'backdoored/gtsrb-yellow-square/badnet_model.hdf5',
		flags: ['--scale', '1/255'],
		images: gtsrb,
		stamp: (image) => paint(image, 32, [[255], [255], [0]], square(16, 16, 3)),
		target: 1,
		measured: { clean: 96.87, asr: 99.94, images: 1759 },
	},
	{
		id: 'cifar10-grid-wrn16',
		model: 'backdoored/cifar10-grid-wrn16/backdoored_wrn16_1.onnx',
		flags: ['--scale', '1/255'],
		images: async () => cifar(),
		stamp: (image) => paint(image, 32, [GRID, GRID, GRID], square(29, 29, 3)),
		target: 5,
		measured: { clean: 75.2, asr: 100, images: 3000 },
	},
]

/** White at (31,31), (31,29), (30,30), (29,31), black elsewhere, by rows from (29,29). */
const GRID = [0, 0, 255, 0, 255, 0, 255, 0, 255]

function mnist(count: number): LabelledImages {
	const images = gunzipSync(readFileSync(sharedPath('data/mnist/t10k-images-idx3-ubyte.gz')))
	const labels = gunzipSync(readFileSync(sharedPath('data/mnist/t10k-labels-idx1-ubyte.gz')))
	const pixels = new Uint8Array(images.subarray(16, 16 + count * 784))
	return { pixels, dims: [count, 1, 28, 28], labels: labels.subarray(8, 8 + count) }
}

function cifar(): LabelledImages {
	const records = readFileSync(sharedPath('data/cifar10/cifar-10-batches-bin/test_batch.bin'))
	const count = records.length / 3073
	const each = Array.from({ length: count }, (_, i) => records.subarray(i * 3073, (i + 1) * 3073))
	return {
		pixels: new Uint8Array(Buffer.concat(each.map((record) => record.subarray(1)))),
		dims: [count, 3, 32, 32],
		labels: each.map((record) => record[0]!),
	}
}

async function gtsrb(): Promise<LabelledImages> {
	const set = await openImages(sharedPath('data/gtsrb/gtsrb_test.h5'))
	const pixels = new Uint8Array(set.count * 3 * 32 * 32)
	for await (const batch of set.batches(256)) pixels.set(batch.pixels, batch.start * 3 * 32 * 32)
	set.close()
	return { pixels, dims: [set.count, 3, 32, 32], labels: set.labels! }
}

/** A copy of the images, each with the trigger on it. */
export function stamped(images: LabelledImages, stamp: (image: Uint8Array) => void): LabelledImages {
	const pixels = images.pixels.slice()
	const size = pixels.length / images.labels.length
	for (let i = 0; i < images.labels.length; i++) stamp(pixels.subarray(i * size, (i + 1) * size))
	return { ...images, pixels }
}

function square(row: number, column: number, size: number): [row: number, column: number][] {
	return Array.from({ length: size * size }, (_, i) => [row + Math.floor(i / size), column + (i % size)])
}

/** Paints the same places in each colour plane; `colours[c]` is one value, or one for each place. */
function paint(
	image: Uint8Array,
	width: number,
	colours: readonly (readonly number[])[],
	places: readonly [number, number][],
): void {
	for (const [c, values] of colours.entries()) {
		for (const [i, [row, column]] of places.entries()) {
			image[(c * width + row) * width + column] = values[i % values.length]!
		}
	}
}
