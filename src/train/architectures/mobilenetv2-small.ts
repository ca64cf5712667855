/**
 * MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381, table 2) for small images: half the width, as the paper scales it (all layers but the
 * last convolution, rounded to multiples of eight), and stride 1 in the first convolution.
 */
import { type Architecture, UNIT_PIXELS } from './architecture.ts'
import type { Feature, Net } from './net.ts'

/** Expansion t, channels c before scaling, units n, stride s of the first unit: the paper's table 2. */
const STAGES = [
	{ t: 1, c: 16, n: 1, s: 1 },
	{ t: 6, c: 24, n: 2, s: 2 },
	{ t: 6, c: 32, n: 3, s: 2 },
	{ t: 6, c: 64, n: 4, s: 2 },
	{ t: 6, c: 96, n: 3, s: 1 },
	{ t: 6, c: 160, n: 3, s: 2 },
	{ t: 6, c: 320, n: 1, s: 1 },
]
const FIRST_FILTERS = 32
const LAST_FILTERS = 1280
const WIDTH = 0.5

/** Seventeen inverted residual units between two convolutions. */
export const mobilenetv2Small: Architecture = {
	smallest: 16,
	preprocessing: UNIT_PIXELS,
	build: (net, classes) => {
		let x = convNorm(net, net.input, 'conv_1', scaled(FIRST_FILTERS), 3)
		for (const [stage, { t, c, n, s }] of STAGES.entries()) {
			for (let index = 0; index < n; index++) {
				x = unit(net, x, `unit_${stage + 1}_${index + 1}`, t, scaled(c), index === 0 ? s : 1)
			}
		}
		const last = convNorm(net, x, 'conv_2', LAST_FILTERS, 1)
		return net.dense(net.globalPool(last, 'global_pool'), 'output', classes, { activation: 'softmax' })
	},
}

/** Expand, filter each channel, project without activation; the input is added where it has the output's shape. */
function unit(net: Net, x: Feature, name: string, expansion: number, filters: number, stride: number): Feature {
	const channels = x.shape.at(-1) as number
	const wide = expansion === 1 ? x : convNorm(net, x, `${name}_expand`, channels * expansion, 1)
	const filtered = net.norm(net.depthwise(wide, `${name}_depthwise`, { stride }), `${name}_depthwise_bn`)
	const active = net.relu6(filtered, `${name}_depthwise_relu`)
	const projected = net.conv(active, `${name}_project`, filters, { kernel: 1, bias: false })
	const output = net.norm(projected, `${name}_project_bn`)
	return stride === 1 && channels === filters ? net.add(x, output, `${name}_add`) : output
}

function convNorm(net: Net, x: Feature, name: string, filters: number, kernel: number): Feature {
	const normed = net.norm(net.conv(x, name, filters, { kernel, bias: false }), `${name}_bn`)
	return net.relu6(normed, `${name}_relu`)
}

/** `channels` at our width: the nearest multiple of eight, and not less than nine tenths (`_make_divisible` of the authors' code). */
function scaled(channels: number): number {
	const wanted = channels * WIDTH
	const rounded = Math.max(8, Math.floor((wanted + 4) / 8) * 8)
	return rounded < 0.9 * wanted ? rounded + 8 : rounded
}
