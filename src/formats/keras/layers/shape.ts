/** Layers that move numbers about: Flatten, Reshape, Permute, ZeroPadding2D, Cropping2D, UpSampling2D. */
import { InputError, UnsupportedError } from '../../../errors.ts'
import { floatTensor } from '../../../graph/graph.ts'
import type { KerasLayer, Size } from '../architecture.ts'
import type { Flow } from '../build.ts'
import { badConfig } from '../json.ts'
import { readBorders, readChoice, readDataFormat, readIntegers, readPair } from '../settings.ts'
import { type LayerContext, type LayerTable, onlyInput } from './context.ts'
import { positive } from './window.ts'

/** The number of elements per image; null where a size is open. */
function countOf(shape: readonly Size[]): Size {
	return shape.reduce<Size>((product, size) => (product === null || size === null ? null : product * size), 1)
}

/** Row, column, channel, also for `channels_first`: Keras moves the channels to the back before it flattens. */
function flatten(context: LayerContext): Flow {
	const { layer, build, name } = context
	const input = build.asKeras(onlyInput(context))
	const output: Flow = { name, shape: [countOf(input.shape)], layout: 'keras' }
	const isMoved = readDataFormat(layer) === 'channels_first' && input.shape.length > 1
	const last = isMoved ? channelsBack(context, input) : input
	return build.emit('Flatten', [last.name], output, { axis: 1 })
}

function channelsBack({ build, name }: LayerContext, input: Flow): Flow {
	const [channels, ...others] = input.shape as [Size, ...Size[]]
	const perm = [0, ...others.map((_, axis) => axis + 2), 1]
	return build.emit(
		'Transpose',
		[input.name],
		{ ...input, shape: [...others, channels], name: build.helper(`${name}/channels_last`) },
		{ perm },
	)
}

function reshape(context: LayerContext): Flow {
	const { layer, build, name } = context
	const input = build.asKeras(onlyInput(context))
	const target = readIntegers(layer, 'target_shape')
	const shape = solve(target, countOf(input.shape), layer)
	const operand = build.integers(`${name}/shape`, [0, ...shape.map((size) => size ?? -1)])
	return build.emit('Reshape', [input.name, operand], { name, shape, layout: 'keras' })
}

/** `target` with its -1 worked out where the number of elements is known. */
function solve(target: readonly number[], count: Size, layer: KerasLayer): Size[] {
	const open = target.filter((size) => size === -1).length
	if (open > 1 || target.some((size) => size < -1 || size === 0)) {
		throw badConfig(
			`layer ${layer.name}, setting target_shape`,
			'positive sizes and at most one -1',
			target,
			layer.name,
		)
	}
	const known = target.filter((size) => size !== -1).reduce((product, size) => product * size, 1)
	if (count === null) return target.map((size) => (size === -1 ? null : size))
	const rest = count / known
	if (open === 1 ? Number.isInteger(rest) : rest === 1) return target.map((size) => (size === -1 ? rest : size))
	throw new InputError(
		'shape-mismatch',
		`layer ${layer.name}: expected ${count} elements, found target_shape [${target.join(', ')}]`,
		{
			layer: layer.name,
		},
	)
}

function permute(context: LayerContext): Flow {
	const { layer, build, name } = context
	const input = build.asKeras(onlyInput(context))
	const dims = readIntegers(layer, 'dims')
	const isPermutation = input.shape.every((_, axis) => dims.includes(axis + 1)) && dims.length === input.shape.length
	if (!isPermutation)
		throw badConfig(
			`layer ${layer.name}, setting dims`,
			`a permutation of 1 to ${input.shape.length}`,
			dims,
			layer.name,
		)
	const shape = dims.map((dim) => input.shape[dim - 1] ?? null)
	return build.emit('Transpose', [input.name], { name, shape, layout: 'keras' }, { perm: [0, ...dims] })
}

function zeroPadding2d(context: LayerContext): Flow {
	const { layer, build, name } = context
	const image = build.image(onlyInput(context), readDataFormat(layer), layer.name)
	const [top, bottom, left, right] = readBorders(layer, 'padding')
	const pads = build.integers(`${name}/pads`, [0, 0, top, left, 0, 0, bottom, right])
	const grown = (size: Size, by: number): Size => (size === null ? null : size + by)
	const output = image.flow(name, image.channels, grown(image.height, top + bottom), grown(image.width, left + right))
	return build.emit('Pad', [image.name, pads], output, { mode: 'constant' })
}

function cropping2d(context: LayerContext): Flow {
	const { layer, build, name } = context
	const image = build.image(onlyInput(context), readDataFormat(layer), layer.name)
	const [top, bottom, left, right] = readBorders(layer, 'cropping')
	const starts = build.integers(`${name}/starts`, [top, left])
	const ends = build.integers(`${name}/ends`, [endOf(bottom), endOf(right)])
	const axes = build.integers(`${name}/axes`, [2, 3])
	const shrunk = (size: Size, by: number): Size => (size === null ? null : positive(size - by, layer))
	const output = image.flow(name, image.channels, shrunk(image.height, top + bottom), shrunk(image.width, left + right))
	return build.emit('Slice', [image.name, starts, ends, axes], output)
}

/** Where a Slice that leaves out the last `crop` ends: counted from the end, or "as far as it goes". */
function endOf(crop: number): number {
	return crop === 0 ? Number.MAX_SAFE_INTEGER : -crop
}

/** Bilinear as TensorFlow 2 computes it: pixel centres at half. */
const RESIZE = {
	nearest: { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
	bilinear: { mode: 'linear', coordinate_transformation_mode: 'half_pixel' },
}

function upSampling2d(context: LayerContext): Flow {
	const { layer, build, name } = context
	const image = build.image(onlyInput(context), readDataFormat(layer), layer.name)
	const [rows, columns] = readPair(layer, 'size', 2)
	if (!Object.hasOwn(RESIZE, String(layer.config.interpolation ?? 'nearest'))) {
		throw new UnsupportedError(
			'unsupported-layer',
			`layer ${layer.name}: unsupported interpolation ${layer.config.interpolation}`,
			{
				layer: layer.name,
			},
		)
	}
	const interpolation = readChoice(layer, 'interpolation', ['nearest', 'bilinear'], 'nearest')
	const scales = build.constant(`${name}/scales`, floatTensor([4], [1, 1, rows, columns]))
	const grown = (size: Size, by: number): Size => size && size * by
	const output = image.flow(name, image.channels, grown(image.height, rows), grown(image.width, columns))
	return build.emit('Resize', [image.name, '', scales], output, RESIZE[interpolation])
}

export const shapeLayers: LayerTable = {
	Flatten: flatten,
	Reshape: reshape,
	Permute: permute,
	ZeroPadding2D: zeroPadding2d,
	Cropping2D: cropping2d,
	UpSampling2D: upSampling2d,
}
