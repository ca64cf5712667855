/** Resize: every mode without anti-aliasing is a small matrix along each axis (ONNX, Operators.md, "Resize"). */
import { UnsupportedError } from '../../errors.ts'
import {
	attributeFloat,
	attributeInt,
	attributeInts,
	attributeString,
	floatsOf,
	type Node,
	nodeName,
} from '../graph.ts'
import { axisMap, transposeMaps } from './along-axis.ts'
import type { GradientRules } from './rule.ts'
import type { Tape } from './tape.ts'

export const resizeRules: GradientRules = {
	Resize: ({ node, tape, gradient }) => {
		const input = tape.shapeOf(node.inputs[0]!)
		const output = tape.shapeOf(node.outputs[0]!)
		refuse(node, attributeInt(node, 'antialias', 0) === 1, 'antialias')
		const policy = attributeString(node, 'keep_aspect_ratio_policy', 'stretch')
		refuse(node, policy !== 'stretch', `keep_aspect_ratio_policy ${policy}`)
		const scales = scalesOf(tape, node, input, output)
		const maps = input.flatMap((size, axis) => {
			const scale = scales[axis]!
			if (scale === 1 && size === output[axis]) return []
			const termsAt = kernelOf(node, scale, size)
			const place = coordinates(node, { scale, input: size, output: output[axis]! })
			return [axisMap(axis, size, output[axis]!, (at) => termsAt(place(at)))]
		})
		return [transposeMaps(tape, gradient, output, maps)]
	},
}

type Terms = readonly (readonly [input: number, weight: number])[]

/** Scale along each axis: as told, or what the sizes make it. */
function scalesOf(tape: Tape, node: Node, input: readonly number[], output: readonly number[]): number[] {
	const [, , scales, sizes] = node.inputs
	if (sizes) return input.map((size, axis) => output[axis]! / size)
	const told = tape.constantOf(scales)
	refuse(node, told === undefined, 'scales that are computed')
	const axes = attributeInts(node, 'axes') ?? input.map((_, axis) => axis)
	const found = input.map(() => 1)
	for (const [i, scale] of floatsOf(told!).entries()) found[(axes[i]! + input.length) % input.length] = scale
	return found
}

interface Axis {
	readonly scale: number
	readonly input: number
	readonly output: number
}

/** Position in the output → position in the input. */
function coordinates(node: Node, { scale, input, output }: Axis): (at: number) => number {
	const mode = attributeString(node, 'coordinate_transformation_mode', 'half_pixel')
	switch (mode) {
		case 'half_pixel':
			return (at) => (at + 0.5) / scale - 0.5
		case 'pytorch_half_pixel':
			return (at) => (output > 1 ? (at + 0.5) / scale - 0.5 : 0)
		case 'align_corners':
			return (at) => (output > 1 ? (at * (input - 1)) / (output - 1) : 0)
		case 'asymmetric':
			return (at) => at / scale
		case 'half_pixel_symmetric': {
			// Where the output is not scale · input exactly, both are centred.
			const offset = (input / 2) * (1 - output / (scale * input))
			return (at) => offset + (at + 0.5) / scale - 0.5
		}
		default:
			return refuse(node, true, `coordinate_transformation_mode ${mode}`)
	}
}

/** Position in the input → the elements read there. Positions beyond the border read the border. */
function kernelOf(node: Node, scale: number, size: number): (place: number) => Terms {
	const clamp = (at: number) => Math.min(Math.max(at, 0), size - 1)
	const mode = attributeString(node, 'mode', 'nearest')
	switch (mode) {
		case 'nearest': {
			const round = rounding(node, scale)
			return (place) => [[clamp(round(place)), 1]]
		}
		case 'linear':
			return (place) => {
				const low = Math.floor(clamp(place))
				const share = clamp(place) - low
				return [[low, 1 - share], ...(share > 0 ? ([[low + 1, share]] as const) : [])]
			}
		case 'cubic':
			return cubic(attributeFloat(node, 'cubic_coeff_a', -0.75), attributeInt(node, 'exclude_outside', 0) === 1, size)
		default:
			return refuse(node, true, `mode ${mode}`)
	}
}

function rounding(node: Node, scale: number): (place: number) => number {
	const mode = attributeString(node, 'nearest_mode', 'round_prefer_floor')
	// Float32 arithmetic in the runtime, float64 here: a half is a half in both only up to rounding.
	const isHalf = (place: number) => Math.abs(place - Math.floor(place) - 0.5) < 1e-6
	switch (mode) {
		case 'round_prefer_floor':
			return (place) => (isHalf(place) ? Math.floor(place) : Math.round(place))
		case 'round_prefer_ceil':
			return (place) => (isHalf(place) ? Math.ceil(place) : Math.round(place))
		case 'floor':
			return (place) => Math.floor(place + (scale === 1 ? 0 : 1e-6))
		case 'ceil':
			return (place) => Math.ceil(place - 1e-6)
		default:
			return refuse(node, true, `nearest_mode ${mode}`)
	}
}

/** Cubic convolution over four elements (Keys, 1981, equation 15 with free parameter `a`). */
function cubic(a: number, isOutsideExcluded: boolean, size: number): (place: number) => Terms {
	const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1
	const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
	return (place) => {
		const low = Math.floor(place)
		const share = place - low
		const weights = [far(1 + share), near(share), near(1 - share), far(2 - share)]
		const terms = weights.map((weight, i) => [low - 1 + i, weight] as const)
		if (!isOutsideExcluded) return terms.map(([at, weight]) => [Math.min(Math.max(at, 0), size - 1), weight])
		const inside = terms.filter(([at]) => at >= 0 && at < size)
		const total = inside.reduce((sum, [, weight]) => sum + weight, 0)
		return inside.map(([at, weight]) => [at, weight / total])
	}
}

function refuse(node: Node, isRefused: true, what: string): never
function refuse(node: Node, isRefused: boolean, what: string): void
function refuse(node: Node, isRefused: boolean, what: string): void {
	if (!isRefused) return
	const layer = nodeName(node)
	throw new UnsupportedError('no-gradient', `${layer} (${node.op}): ${what} has no gradient rule`, { layer })
}
