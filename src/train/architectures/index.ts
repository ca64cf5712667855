/** Every architecture by name, and the layers of one for images of a given size. */

import type { ImageSize } from '../../data/image-set.ts'
import { InputError, UsageError } from '../../errors.ts'
import type { Architecture } from './architecture.ts'
import { badnetsCnn } from './badnets-cnn.ts'
import { deepid } from './deepid.ts'
import { lenet } from './lenet.ts'
import { mobilenetv2Small } from './mobilenetv2-small.ts'
import { type LayerSpec, Net } from './net.ts'
import { preactResnet18 } from './preact-resnet18.ts'
import { smallCnn } from './small-cnn.ts'
import { vgg11Bn } from './vgg11-bn.ts'

/** The architectures that can be made and trained, by the name that the command line takes. */
export const ARCHITECTURES = {
	deepid,
	lenet,
	'badnets-cnn': badnetsCnn,
	'small-cnn': smallCnn,
	'vgg11-bn': vgg11Bn,
	'preact-resnet18': preactResnet18,
	'mobilenetv2-small': mobilenetv2Small,
} as const satisfies Readonly<Record<string, Architecture>>

export type ArchitectureName = keyof typeof ARCHITECTURES

/**
 * The architecture called `name`.
 * @throws UsageError `unknown-architecture`
 */
export function architectureNamed(name: string): Architecture {
	// Own keys alone: `constructor` names no architecture.
	if (Object.hasOwn(ARCHITECTURES, name)) return ARCHITECTURES[name as ArchitectureName]
	const known = Object.keys(ARCHITECTURES).join(', ')
	throw new UsageError('unknown-architecture', `unknown architecture ${name}; expected one of ${known}`)
}

/**
 * The layers of architecture `name` for images of size `input`, in order; the last gives probabilities `[classes]`.
 * @throws UsageError `unknown-architecture`
 * @throws InputError `image-too-small`, `too-few-classes`
 */
export function layersOf(name: string, input: ImageSize, classes: number): readonly LayerSpec[] {
	const { smallest, build } = architectureNamed(name)
	const { height, width } = input
	if (height < smallest || width < smallest) {
		const message = `${name} needs images of at least ${smallest}×${smallest}, found ${height}×${width}: resize them, or take another architecture`
		throw new InputError('image-too-small', message)
	}
	if (classes < 2) {
		throw new InputError('too-few-classes', `${name}: expected at least 2 classes to tell apart, found ${classes}`)
	}
	const net = new Net(input)
	build(net, classes)
	return net.layers
}
