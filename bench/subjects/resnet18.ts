/** A ResNet-18 for 32×32 images with random weights, and noise to run it on: what it answers does not matter here, what it costs does. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeOnnx, type ImageSet, loadModel, type Model, memoryImages } from 'goodnet/node'
import { resNet } from '../../test/helpers/architectures/resnet.ts'
import { randomValues } from '../../test/helpers/networks.ts'

const SIZE = 32
const COLOURS = 3
const CLASSES = 10

/** @param folder where its file goes: models are opened as users open them */
export async function resNet18(folder: string): Promise<Model> {
	const path = join(folder, 'resnet18.onnx')
	await writeFile(path, encodeOnnx(resNet({ size: SIZE, classes: CLASSES })))
	return loadModel(path, { preprocessing: { scale: 1 / 255 } })
}

export function noiseImages(count: number): ImageSet {
	const random = randomValues(1)
	return memoryImages({
		path: 'noise',
		pixels: Uint8Array.from({ length: count * SIZE * SIZE * COLOURS }, () => (random() + 1) * 128),
		count,
		height: SIZE,
		width: SIZE,
		channels: COLOURS,
		layout: 'NCHW',
		labels: Int32Array.from({ length: count }, (_, i) => i % CLASSES),
		classNames: null,
	})
}
