/**
 * PreActResNet-18: residual units with full pre-activation (He et al. 2016, arXiv:1603.05027, figure 4e), in the form for 32×32 images that
 * backdoor benchmarks train (BackdoorBench, after kuangliu/pytorch-cifar): no pool behind the first convolution, projections read the
 * activated map, and no normalization behind the last unit. 11,171,146 parameters at 3 channels and 10 classes.
 */
import { type Architecture, UNIT_PIXELS } from './architecture.ts'
import type { Feature, Net } from './net.ts'

/** Filters of the four stages; each but the first halves the map in its first unit. */
const STAGES = [64, 128, 256, 512]
const UNITS_PER_STAGE = 2

/** Eight units of two 3×3 convolutions each. */
export const preactResnet18: Architecture = {
	smallest: 8,
	preprocessing: UNIT_PIXELS,
	build: (net, classes) => {
		let x = net.conv(net.input, 'conv_1', STAGES[0] as number, { bias: false })
		for (const [stage, filters] of STAGES.entries()) {
			for (let index = 0; index < UNITS_PER_STAGE; index++) {
				x = unit(net, x, `unit_${stage + 1}_${index + 1}`, filters, stage > 0 && index === 0 ? 2 : 1)
			}
		}
		return net.dense(net.globalPool(x, 'global_pool'), 'output', classes, { activation: 'softmax' })
	},
}

function unit(net: Net, x: Feature, name: string, filters: number, stride: number): Feature {
	const active = net.relu(net.norm(x, `${name}_bn_1`), `${name}_relu_1`)
	const isSame = stride === 1 && x.shape.at(-1) === filters
	const shortcut = isSame ? x : net.conv(active, `${name}_shortcut`, filters, { kernel: 1, stride, bias: false })
	const first = net.conv(active, `${name}_conv_1`, filters, { stride, bias: false })
	const again = net.relu(net.norm(first, `${name}_bn_2`), `${name}_relu_2`)
	const second = net.conv(again, `${name}_conv_2`, filters, { bias: false })
	return net.add(second, shortcut, `${name}_add`)
}
