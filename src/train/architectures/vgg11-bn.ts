/**
 * VGG-11 (configuration A of Simonyan and Zisserman 2015, arXiv:1409.1556, table 1) with batch normalization, in the form used on 32×32
 * images: one dense layer in place of three. 9,231,114 parameters at 3 channels and 10 classes.
 */
import { type Architecture, UNIT_PIXELS } from './architecture.ts'
import type { Feature, Net } from './net.ts'

/** Filters of the convolutions between two pools. */
const BLOCKS = [[64], [128], [256, 256], [512, 512], [512, 512]]

/** Five blocks of convolution, normalization and ReLU, a max pool behind each; larger images are averaged before the dense layer. */
export const vgg11Bn: Architecture = {
	smallest: 32,
	preprocessing: UNIT_PIXELS,
	build: (net, classes) => {
		const maps = BLOCKS.reduce((x, filters, index) => block(net, x, index + 1, filters), net.input)
		return net.dense(net.globalPool(maps, 'global_pool'), 'output', classes, { activation: 'softmax' })
	},
}

function block(net: Net, input: Feature, number: number, filters: readonly number[]): Feature {
	const maps = filters.reduce((x, count, index) => {
		const name = `${number}_${index + 1}`
		const normed = net.norm(net.conv(x, `conv_${name}`, count), `bn_${name}`)
		return net.relu(normed, `relu_${name}`)
	}, input)
	return net.maxPool(maps, `pool_${number}`)
}
