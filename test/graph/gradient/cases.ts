/** At least one example of every rule in this folder's families; `torch-operators.py` computes the same ones, under the same names. */
import {
	type AttributeValue,
	floatTensor,
	type Graph,
	intTensor,
	makeNode,
	type Tensor,
} from '../../../src/graph/graph.ts'
import type { Feed } from '../../../src/runtime/runtime.ts'
import {
	awayFrom,
	type Feeds,
	graphOf,
	type OperatorGraph,
	operatorGraph,
	scattered,
	wave,
} from '../../helpers/gradients.ts'

/** One graph whose gradients both oracles know. */
export interface GradientExample {
	readonly graph: Graph
	readonly feeds: Feeds
	readonly wrt: readonly string[]
}

type Attributes = Readonly<Record<string, AttributeValue>>

/** One operator whose operands are first the feeds, then the constants; wrt every float32 feed. */
function operator(op: string, feeds: Feeds, attributes: Attributes = {}, options: OperatorGraph = {}): GradientExample {
	const inputs = [...Object.keys(feeds), ...Object.keys(options.constants ?? {})]
	return { graph: operatorGraph(op, inputs, feeds, attributes, options), feeds, wrt: floatsAmong(feeds) }
}

function floatsAmong(feeds: Feeds): string[] {
	return Object.keys(feeds).filter((name) => feeds[name]!.data instanceof Float32Array)
}

const unary = (op: string, x: Feed, attributes: Attributes = {}, opset = 17) =>
	operator(op, { x }, attributes, { opset })
const reduction = (op: string, axes: number[], keepdims: number, opset = 17) =>
	op !== 'ReduceSum' && opset < 18
		? operator(op, { x: scattered([2, 3, 4]) }, { axes, keepdims }, { opset })
		: operator(op, { x: scattered([2, 3, 4]) }, { keepdims }, { opset, constants: { axes: intTensor(axes) } })

const bool = (dims: readonly number[], values: readonly number[]): Feed => ({
	dims,
	data: Uint8Array.from(values),
	dtype: 'bool',
})
const ints = (dims: readonly number[], values: readonly number[]): Feed => ({
	dims,
	data: BigInt64Array.from(values, BigInt),
})
const indices = (dims: readonly number[], values: readonly number[]): Tensor => ({ ...intTensor(values), dims })
const SMALL = [2, 3, 4]
const x = wave(SMALL)
const positive = wave(SMALL, 0, 1, 2)

const arithmetic: Record<string, GradientExample> = {
	Add: operator('Add', { a: wave([2, 1, 4]), b: wave([3, 1], 1) }),
	Sub: operator('Sub', { a: wave([3, 4]), b: wave(SMALL, 1) }),
	Mul: operator('Mul', { a: wave([2, 1, 4]), b: wave([3, 1], 1) }),
	Div: operator('Div', { a: wave([2, 1, 4]), b: wave([3, 1], 1, 1, 2) }),
	Neg: unary('Neg', x),
	Sum: operator('Sum', { a: wave(SMALL), b: wave([4], 1), c: wave([3, 1], 2) }),
	Mean: operator('Mean', { a: wave(SMALL), b: wave([4], 1), c: wave([3, 1], 2) }),
}

const elementwise: Record<string, GradientExample> = {
	Pow: operator('Pow', { a: positive, b: wave([3, 1], 1, 2) }),
	'Pow 2': operator('Pow', { a: x }, {}, { constants: { e: floatTensor([], [2]) } }),
	'Pow 0.5': operator('Pow', { a: positive }, {}, { constants: { e: floatTensor([], [0.5]) } }),
	'Pow 3, an integer': operator('Pow', { a: x }, {}, { constants: { e: intTensor([3]) } }),
	'Pow of integers that are fed': operator('Pow', { a: x, e: ints([4], [1, 2, 3, 4]) }),
	Sqrt: unary('Sqrt', positive),
	Exp: unary('Exp', x),
	Log: unary('Log', positive),
	Abs: unary('Abs', awayFrom(x, [0])),
	Reciprocal: unary('Reciprocal', positive),
	Erf: unary('Erf', x),
	Sin: unary('Sin', x),
	Cos: unary('Cos', x),
}

const activations: Record<string, GradientExample> = {
	Relu: unary('Relu', awayFrom(x, [0])),
	LeakyRelu: unary('LeakyRelu', awayFrom(x, [0]), { alpha: { float: 0.1 } }),
	PRelu: operator('PRelu', { x: awayFrom(x, [0]), slope: wave([3, 1], 1) }),
	Elu: unary('Elu', awayFrom(x, [0]), { alpha: { float: 0.7 } }),
	Selu: unary('Selu', awayFrom(x, [0])),
	Sigmoid: unary('Sigmoid', x),
	Tanh: unary('Tanh', x),
	Softplus: unary('Softplus', x),
	Softsign: unary('Softsign', awayFrom(x, [0])),
	HardSigmoid: unary('HardSigmoid', awayFrom(wave(SMALL, 0, 4), [-2.5, 2.5])),
	HardSwish: unary('HardSwish', awayFrom(wave(SMALL, 0, 5), [-3, 3])),
	Gelu: unary('Gelu', wave(SMALL, 0, 2), {}, 20),
	'Gelu by tanh': unary('Gelu', wave(SMALL, 0, 2), { approximate: 'tanh' }, 20),
	Mish: unary('Mish', wave(SMALL, 0, 2), {}, 18),
	Softmax: unary('Softmax', x),
	'Softmax over the middle axis': unary('Softmax', x, { axis: 1 }),
	LogSoftmax: unary('LogSoftmax', x),
	'LogSoftmax over the first axis': unary('LogSoftmax', x, { axis: 0 }),
}

const selection: Record<string, GradientExample> = {
	Min: operator('Min', { a: wave(SMALL), b: wave([4], 2.6), c: wave([3, 1], 1) }),
	Max: operator('Max', { a: wave(SMALL), b: wave([3, 1], 1) }),
	Where: operator('Where', { c: bool([3, 1], [1, 0, 1]), a: wave([2, 1, 4]), b: wave([4], 1) }),
	Clip: operator('Clip', {
		x: awayFrom(x, [-0.5, 0.5]),
		low: { dims: [], data: Float32Array.of(-0.5) },
		high: { dims: [], data: Float32Array.of(0.5) },
	}),
}

const matrices: Record<string, GradientExample> = {
	Gemm: operator(
		'Gemm',
		{ a: wave([4, 3]), b: wave([5, 4], 1), c: wave([5], 2) },
		{ transA: 1, transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } },
	),
	MatMul: operator('MatMul', { a: wave([2, 1, 3, 4]), b: wave([3, 4, 2], 1) }),
	'MatMul with one matrix': operator('MatMul', { a: wave(SMALL), b: wave([4, 5], 1) }),
	'MatMul with a vector': operator('MatMul', { a: wave(SMALL), b: wave([4], 1) }),
}

const shapes: Record<string, GradientExample> = {
	Reshape: operator('Reshape', { x }, {}, { constants: { to: intTensor([4, -1]) } }),
	Flatten: unary('Flatten', x, { axis: 2 }),
	Squeeze: operator('Squeeze', { x: wave([2, 1, 3, 1]) }, {}, { constants: { axes: intTensor([1, -1]) } }),
	Unsqueeze: operator('Unsqueeze', { x }, {}, { constants: { axes: intTensor([0, -1]) } }),
	Transpose: unary('Transpose', x, { perm: [2, 0, 1] }),
	'Transpose, reversed': unary('Transpose', x),
	Concat: operator('Concat', { a: wave([2, 1, 4]), b: wave(SMALL, 1), c: wave([2, 2, 4], 2) }, { axis: 1 }),
	Split: operator('Split', { x }, { axis: -1 }, { constants: { sizes: intTensor([1, 3]) }, outputs: ['y', 'z'] }),
	Expand: operator('Expand', { x: wave([3, 1]) }, {}, { constants: { to: intTensor([2, 3, 4]) } }),
	Tile: operator('Tile', { x }, {}, { constants: { repeats: intTensor([2, 1, 3]) } }),
	Identity: unary('Identity', x),
	Cast: {
		graph: graphOf(
			[makeNode('Cast', ['x'], ['wide'], { to: 11 }), makeNode('Cast', ['wide'], ['y'], { to: 1 })],
			{ x },
			['y'],
		),
		feeds: { x },
		wrt: ['x'],
	},
	Dropout: operator('Dropout', { x }),
}

const slice = (x: Feed, starts: number[], ends: number[], axes: number[], steps: number[]) =>
	operator(
		'Slice',
		{ x },
		{},
		{
			constants: { starts: intTensor(starts), ends: intTensor(ends), axes: intTensor(axes), steps: intTensor(steps) },
		},
	)

const indexing: Record<string, GradientExample> = {
	Slice: slice(wave([4, 5, 6]), [1, 0], [3, 100], [0, -1], [1, 2]),
	'Slice in reverse': slice(wave([4, 5, 6]), [-1, 4], [-100, 0], [2, 1], [-2, -1]),
	'Slice with bounds that are fed': operator('Slice', {
		x: wave([4, 5, 6]),
		starts: ints([2], [3, 1]),
		ends: ints([2], [0, 6]),
		axes: ints([2], [0, 2]),
		steps: ints([2], [-1, 2]),
	}),
	Gather: operator('Gather', { x: wave([4, 3]) }, { axis: 0 }, { constants: { i: indices([2, 2], [0, -1, 3, 0]) } }),
	'Gather one': operator('Gather', { x: wave([2, 3, 4]) }, { axis: 1 }, { constants: { i: indices([], [-1]) } }),
	'Gather what is fed': operator('Gather', { x: wave([2, 3, 4]), i: ints([3], [2, 2, 0]) }, { axis: 2 }),
	GatherElements: operator('GatherElements', { x: wave([3, 3]), i: ints([2, 3], [0, 1, 2, 0, -1, 0]) }, { axis: 0 }),
}

const reductions: Record<string, GradientExample> = {
	ReduceSum: reduction('ReduceSum', [0, 2], 0),
	ReduceMean: reduction('ReduceMean', [-1, 1], 1),
	'ReduceMean, opset 18': reduction('ReduceMean', [1], 0, 18),
	'ReduceMean of everything': unary('ReduceMean', x, { keepdims: 0 }),
	ReduceMax: reduction('ReduceMax', [1], 0),
	ReduceMin: reduction('ReduceMin', [0, 1], 1, 18),
	ReduceL1: reduction('ReduceL1', [2], 0),
	ReduceL2: reduction('ReduceL2', [0, 2], 1),
	ReduceSumSquare: reduction('ReduceSumSquare', [1], 0),
	ReduceLogSumExp: reduction('ReduceLogSumExp', [1, 2], 0),
}

export const CASES: Readonly<Record<string, GradientExample>> = {
	...arithmetic,
	...elementwise,
	...activations,
	...selection,
	...matrices,
	...shapes,
	...indexing,
	...reductions,
}
