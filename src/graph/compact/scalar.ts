/** Operators on single numbers: what a layer makes of a channel that is the same number everywhere. */
import type { Node } from '../graph.ts'

/** Keeps a constant map what it is, whatever its windows are. */
const KEEPING = new Set(
	'Identity Dropout GlobalAveragePool GlobalMaxPool MaxPool ReduceMean ReduceMax ReduceMin'.split(' '),
)

/**
 * The value of a node whose operands are these numbers.
 *
 * @param args in the order of the node's inputs; null for one that is not known, undefined for one that is omitted
 * @returns NaN where the result is not known, or is not the same everywhere
 */
export function scalarResult(node: Node, args: readonly (number | null | undefined)[]): number {
	const [x, y, z] = args
	if (node.op === 'Mul' && (x === 0 || y === 0)) return 0
	if (x === null || y === null || z === null || x === undefined) return Number.NaN
	if (KEEPING.has(node.op)) return x
	if (node.op === 'Concat') return args.every((each) => each === x) ? x : Number.NaN
	const unary = UNARY[node.op]
	if (unary) return unary(x, node)
	const binary = BINARY[node.op]
	if (binary && y !== undefined) return args.length === 2 ? binary(x, y) : Number.NaN
	if (node.op === 'Clip') return Math.min(Math.max(x, y ?? bound(node, 'min')), z ?? bound(node, 'max'))
	// Windows that reach over the edge, averages that count it, interpolation: nothing is still nothing.
	return x === 0 && SPREADING.has(node.op) ? 0 : Number.NaN
}

const SPREADING = new Set('AveragePool LpPool ReduceSum Resize Upsample Cast'.split(' '))

const UNARY: Readonly<Record<string, (x: number, node: Node) => number>> = {
	Relu: (x) => Math.max(x, 0),
	LeakyRelu: (x, node) => (x < 0 ? x * number(node, 'alpha', 0.01) : x),
	Elu: (x, node) => (x < 0 ? Math.expm1(x) * number(node, 'alpha', 1) : x),
	Celu: (x, node) => (x < 0 ? Math.expm1(x / number(node, 'alpha', 1)) * number(node, 'alpha', 1) : x),
	ThresholdedRelu: (x, node) => (x > number(node, 'alpha', 1) ? x : 0),
	Sigmoid: sigmoid,
	Tanh: Math.tanh,
	HardSigmoid: (x, node) => clamp(x * number(node, 'alpha', 0.2) + number(node, 'beta', 0.5)),
	HardSwish: (x) => x * clamp(x / 6 + 0.5),
	Softplus: (x) => Math.log1p(Math.exp(x)),
	Softsign: (x) => x / (1 + Math.abs(x)),
	Mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
	Selu: (x) => (x === 0 ? 0 : Number.NaN),
	Gelu: (x) => (x === 0 ? 0 : Number.NaN),
	Erf: (x) => (x === 0 ? 0 : Number.NaN),
	Exp: Math.exp,
	Abs: Math.abs,
	Neg: (x) => -x,
	Sqrt: Math.sqrt,
}

const BINARY: Readonly<Record<string, (x: number, y: number) => number>> = {
	Add: (x, y) => x + y,
	Sub: (x, y) => x - y,
	Mul: (x, y) => x * y,
	Div: (x, y) => x / y,
	Min: Math.min,
	Max: Math.max,
	Pow: (x, y) => x ** y,
	PRelu: (x, y) => (x < 0 ? x * y : x),
}

function sigmoid(x: number): number {
	return 1 / (1 + Math.exp(-x))
}

function clamp(x: number): number {
	return Math.min(Math.max(x, 0), 1)
}

/** A bound of Clip as opset 6 wrote it: an attribute. */
function bound(node: Node, name: 'min' | 'max'): number {
	return number(node, name, name === 'min' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY)
}

function number({ attributes }: Node, name: string, fallback: number): number {
	const attribute = attributes[name]
	return attribute?.type === 'float' ? attribute.value : fallback
}
