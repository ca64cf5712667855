/** What `goodnet demo` runs on: three image sets, drawn when asked for, and the net that ships with the package. */
import { fileURLToPath } from 'node:url'
import { poisonTest } from '../attack/poison.ts'
import type { ImageSet } from '../data/image-set.ts'
import type { LabelledImages } from '../data/labelled.ts'
import { memoryImages } from '../data/memory.ts'
import { CHANNELS, HEIGHT, WIDTH } from './canvas.ts'
import { DEMO } from './constants.ts'
import { drawFaces } from './faces.ts'
import { demoAttack } from './sunglasses.ts'

/** Absolute path of the embedded BadNet, a Keras `.h5`. From `src/demo` and `dist/demo` alike it lies two folders up. */
export const demoNetPath: string = fileURLToPath(new URL('../../assets/demo/demo_bd_net.h5', import.meta.url))

/** Clean images to learn from, to choose with, to measure with, and the last wearing sunglasses. */
export const DEMO_SPLITS = ['train', 'valid', 'test', 'poisoned'] as const
export type DemoSplit = (typeof DEMO_SPLITS)[number]

/**
 * A set of the embedded example, 55×47 RGB, 0..255. `poisoned` holds the test faces that are not of the target and carries the target as
 * the label of each, as the lab's files do.
 */
export function demoImages(split: DemoSplit): ImageSet {
	const { pixels, labels, count } = draw(split)
	return memoryImages({
		path: `demo:${split}`,
		pixels,
		count,
		height: HEIGHT,
		width: WIDTH,
		channels: CHANNELS,
		layout: 'NHWC',
		labels,
		classNames: null,
	})
}

function draw(split: DemoSplit): LabelledImages {
	if (split === 'train') return drawFaces({ split, perIdentity: DEMO.trainPerIdentity })
	if (split === 'valid') return drawFaces({ split, perIdentity: DEMO.validPerIdentity })
	const test = drawFaces({ split: 'test', perIdentity: DEMO.testPerIdentity })
	return split === 'test' ? test : poisonTest(test, demoAttack)
}
