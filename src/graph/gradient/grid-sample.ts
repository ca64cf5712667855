/** GridSample, bilinear with zeros around the image (spatial transformers, arXiv:1506.02025, section 3.3), for images and grids. */
import { UnsupportedError } from '../../errors.ts'
import { attributeInt, attributeString, floatTensor, type Node, nodeName } from '../graph.ts'
import type { GradientRules } from './rule.ts'
import type { Shape, Tape } from './tape.ts'

export const gridSampleRules: GradientRules = {
	GridSample: ({ node, tape, gradient, isWanted }) => {
		refuseOtherModes(node)
		const [image, grid] = node.inputs as [string, string]
		const sampling = new Sampling(tape, node, tape.shapeOf(image), grid)
		return [
			isWanted(0) ? sampling.imageGradient(gradient) : undefined,
			isWanted(1) ? sampling.gridGradient(gradient, image) : undefined,
		]
	},
}

/** A corner of the cell that a sample fell into: 0 the left or upper one, 1 the right or lower one. */
type Corner = 0 | 1
const CORNERS = [0, 1] as const

/** One coordinate of every sample, each value `[N, Ho, Wo, 1]`. */
interface Coordinate {
	/** The integer below, and the distance to it, 0 to 1. */
	readonly low: string
	readonly share: string
	readonly size: number
}

/** Where the samples lie, in pixels. */
class Sampling {
	readonly #tape: Tape
	readonly #node: Node
	readonly #shape: Shape
	readonly #x: Coordinate
	readonly #y: Coordinate
	readonly #gridShape: Shape
	readonly #alignsCorners: boolean

	constructor(tape: Tape, node: Node, shape: Shape, grid: string) {
		this.#tape = tape
		this.#node = node
		this.#shape = shape
		this.#gridShape = tape.shapeOf(grid)
		this.#alignsCorners = attributeInt(node, 'align_corners', 0) === 1
		const [x, y] = tape.emitMany('Split', [grid, tape.integers([1, 1])], 2, { axis: 3 }) as [string, string]
		this.#x = this.#coordinate(x, shape[3]!)
		this.#y = this.#coordinate(y, shape[2]!)
	}

	/** Each sample's gradient goes to the four pixels around it, by their weights; what falls outside is lost. */
	imageGradient(gradient: string): string {
		const tape = this.#tape
		const [batch, channels, height, width] = this.#shape as [number, number, number, number]
		const count = this.#gridShape[1]! * this.#gridShape[2]!
		const perSample = [batch, 1, count]
		const flat = tape.reshape(gradient, [batch, channels, count])
		const corners = CORNERS.flatMap((cy) => CORNERS.map((cx) => [cy, cx] as const))
		const shares = corners.map(([cy, cx]) => {
			const weight = tape.emit('Mul', [this.#weight(this.#y, cy), this.#weight(this.#x, cx)])
			return tape.emit('Mul', [flat, tape.reshape(weight, perSample)])
		})
		const places = corners.map(([cy, cx]) => {
			const row = tape.emit('Mul', [this.#inside(this.#y, cy), tape.scalar(width)])
			const place = tape.emit('Add', [row, this.#inside(this.#x, cx)])
			return tape.reshape(tape.cast(place, 'int64'), perSample)
		})
		const updates = tape.emit('Concat', shares, { axis: 2 })
		const indices = tape.emit('Expand', [
			tape.emit('Concat', places, { axis: 2 }),
			tape.integers([batch, channels, 4 * count]),
		])
		const zeros = tape.zeros([batch, channels, height * width])
		const summed = tape.emit('ScatterElements', [zeros, indices, updates], { axis: 2, reduction: 'add' })
		return tape.reshape(summed, this.#shape)
	}

	/** Along each axis, the difference of the pixels on both sides, summed over the channels with the samples' gradients. */
	gridGradient(gradient: string, image: string): string {
		const tape = this.#tape
		const [topLeft, topRight, bottomLeft, bottomRight] = CORNERS.flatMap((cy) =>
			CORNERS.map((cx) => this.#pixelsAt(image, cy, cx)),
		) as [string, string, string, string]
		const shareX = this.#asMap(this.#x.share)
		const shareY = this.#asMap(this.#y.share)
		const alongX = this.#blend(
			tape.emit('Sub', [topRight, topLeft]),
			tape.emit('Sub', [bottomRight, bottomLeft]),
			shareY,
		)
		const alongY = this.#blend(
			tape.emit('Sub', [bottomLeft, topLeft]),
			tape.emit('Sub', [bottomRight, topRight]),
			shareX,
		)
		const slopes = [
			[alongX, this.#x],
			[alongY, this.#y],
		] as const
		const parts = slopes.map(([slope, { size }]) => {
			const summed = tape.reduce('ReduceSum', tape.emit('Mul', [gradient, slope]), [1], false)
			const scaled = tape.emit('Mul', [summed, tape.scalar(this.#pixelsPerUnit(size))])
			return tape.reshape(scaled, [...this.#gridShape.slice(0, 3), 1])
		})
		return tape.emit('Concat', parts, { axis: 3 })
	}

	/** `first + share · (second − first)` */
	#blend(first: string, second: string, share: string): string {
		const tape = this.#tape
		return tape.emit('Add', [first, tape.emit('Mul', [share, tape.emit('Sub', [second, first])])])
	}

	/** The pixels at one corner of every sample's cell, `[N, C, Ho, Wo]`, zero outside: the runtime looks them up, as nearest samples. */
	#pixelsAt(image: string, cornerY: Corner, cornerX: Corner): string {
		const tape = this.#tape
		const coordinates = [this.#normalized(this.#x, cornerX), this.#normalized(this.#y, cornerY)]
		const { mode: _, ...attributes } = this.#node.attributes
		const nearest = {
			...this.#node,
			attributes: { ...attributes, mode: { type: 'string', value: 'nearest' } as const },
		}
		return tape.again(nearest, [image, tape.emit('Concat', coordinates, { axis: 3 })])
	}

	/** From −1..1 to pixels. */
	#coordinate(normalized: string, size: number): Coordinate {
		const tape = this.#tape
		const scaled = tape.emit('Mul', [normalized, tape.scalar(this.#pixelsPerUnit(size))])
		const place = tape.emit('Add', [scaled, tape.scalar((size - 1) / 2)])
		const low = tape.emit('Floor', [place])
		return { low, share: tape.emit('Sub', [place, low]), size }
	}

	/** From pixels back to −1..1. */
	#normalized({ low, size }: Coordinate, corner: Corner): string {
		const tape = this.#tape
		const centred = tape.emit('Add', [low, tape.scalar(corner - (size - 1) / 2)])
		// A lone pixel whose corners are aligned has no extent; any place in it will do.
		return tape.emit('Mul', [centred, tape.scalar(1 / (this.#pixelsPerUnit(size) || 1))])
	}

	#pixelsPerUnit(size: number): number {
		return (this.#alignsCorners ? size - 1 : size) / 2
	}

	/** Weight of a corner along one axis; zero where it lies outside the image. */
	#weight(coordinate: Coordinate, corner: Corner): string {
		const tape = this.#tape
		const { low, share } = coordinate
		const weight = corner === 1 ? share : tape.emit('Sub', [tape.scalar(1), share])
		const inside = this.#inside(coordinate, corner)
		const place = corner === 1 ? tape.emit('Add', [low, tape.scalar(1)]) : low
		const zero = tape.constant(floatTensor([1], [0]))
		return tape.emit('Where', [tape.emit('Equal', [place, inside]), weight, zero])
	}

	/** The corner's place, moved into the image. */
	#inside({ low, size }: Coordinate, corner: Corner): string {
		const tape = this.#tape
		const place = corner === 1 ? tape.emit('Add', [low, tape.scalar(1)]) : low
		return tape.emit('Clip', [place, tape.scalar(0), tape.scalar(size - 1)])
	}

	/** `[N, Ho, Wo, 1]` → `[N, 1, Ho, Wo]` */
	#asMap(name: string): string {
		const [batch, height, width] = this.#gridShape as [number, number, number]
		return this.#tape.reshape(name, [batch, 1, height, width])
	}
}

function refuseOtherModes(node: Node): void {
	const mode = attributeString(node, 'mode', 'linear')
	const around = attributeString(node, 'padding_mode', 'zeros')
	if ((mode === 'bilinear' || mode === 'linear') && around === 'zeros') return
	const layer = nodeName(node)
	throw new UnsupportedError(
		'no-gradient',
		`${layer} (GridSample): a gradient is known for mode bilinear with padding_mode zeros, found ${mode} with ${around}`,
		{ layer },
	)
}
