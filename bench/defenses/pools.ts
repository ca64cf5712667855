/** The images of the bench: for each data set 2,500 clean ones that a defense gets, and up to 3,000 others that it is measured on. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { holdOut, type ImageSize, type LabelledImages, loadImages, readImages } from 'goodnet/node'
import { dataSet } from '../lab/data-sets.ts'
import { LAB_FOLDER } from '../lab/make.ts'

export const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url))

export type PoolName = 'mnist' | 'fashion-mnist' | 'cifar10' | 'gtsrb'

export interface Pool {
	readonly size: ImageSize
	readonly classes: number
	/** For the defense. */
	readonly clean: LabelledImages
	/** For measuring. */
	readonly test: LabelledImages
}

/** Clean images that a defense gets: one in twenty of CIFAR-10's, as in BackdoorBench (Wu et al. 2022). */
const CLEAN = 2500
/** Names the choice of images. */
const SEED = 0

export async function openPool(name: PoolName): Promise<Pool> {
	if (name === 'mnist') return mnist()
	const { train, test } = dataSet(name, LAB_FOLDER)
	const [learned, measured] = [await read(train), await read(test)]
	return {
		size: learned.size,
		classes: learned.classes,
		clean: some(learned.images, learned.size, CLEAN),
		test: measured.images.count > 3000 ? some(measured.images, learned.size, 2000) : measured.images,
	}
}

/** Its training images could not be had, so the 10,000 test images serve for both, divided. */
async function mnist(): Promise<Pool> {
	const { images, size, classes } = await read(join(SHARED, 'data/mnist/t10k-images-idx3-ubyte.gz'))
	const { train: others, test: clean } = holdOut(images, size, CLEAN / images.count, SEED)
	return { size, classes, clean, test: some(others, size, 3000) }
}

/** About `count` images, of each class its share. */
function some(images: LabelledImages, size: ImageSize, count: number): LabelledImages {
	return holdOut(images, size, count / images.count, SEED).test
}

export async function read(path: string) {
	const set = await loadImages(path)
	const { height, width, channels } = set
	const images = await readImages(set)
	set.close()
	return { images, size: { height, width, channels }, classes: images.labels.reduce((a, b) => Math.max(a, b), 0) + 1 }
}
