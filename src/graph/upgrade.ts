/**
 * ONNX opset 6 → 7. ONNX Runtime runs opset 7 and upwards; opset 7 brought numpy broadcasting in place of the attributes `broadcast` and
 * `axis`, and dropped attributes that told training from inference (github.com/onnx/onnx, docs/Changelog.md, "Version 7").
 */
import { UnsupportedError } from '../errors.ts'
import { attributeInt, type Graph, type Node, type Tensor } from './graph.ts'
import { constantOf, writersOf } from './query.ts'

const BROADCASTING = new Set([
	'Add',
	'Sub',
	'Mul',
	'Div',
	'Pow',
	'PRelu',
	'Gemm',
	'Equal',
	'Greater',
	'Less',
	'And',
	'Or',
	'Xor',
])
const DROPPED = new Set(['broadcast', 'axis', 'is_test', 'consumed_inputs'])
const CHANGED = new Set([...BROADCASTING, 'BatchNormalization', 'Dropout'])
/** Operators whose output has four axes when its images have. */
const SPATIAL = new Set(['Conv', 'ConvTranspose', 'BatchNormalization', 'MaxPool', 'AveragePool'])

/** `graph` in opset 7 if it is older, else the very same graph. @throws UnsupportedError `opset-too-old` for a broadcast that we cannot restate */
export function upgradeOpset(graph: Graph): Graph {
	if ((graph.opsets.get('') ?? 1) >= 7) return graph
	const writers = writersOf(graph)
	const initializers = new Map(graph.initializers)
	for (const node of graph.nodes) {
		const operand = node.inputs[1]
		const tensor = operand === undefined ? undefined : constantOf(graph, operand, writers)
		if (BROADCASTING.has(node.op) && 'axis' in node.attributes && operand !== undefined) {
			initializers.set(operand, alignToAxis(node, tensor, writers))
		}
	}
	return { ...graph, initializers, nodes: graph.nodes.map(upgradeNode), opsets: new Map([...graph.opsets, ['', 7]]) }
}

function upgradeNode(node: Node): Node {
	if (!CHANGED.has(node.op)) return node
	const kept = Object.entries(node.attributes).filter(([name]) => !DROPPED.has(name))
	return { ...node, attributes: Object.fromEntries(kept) }
}

/** The second operand stood at `axis` of the first; numpy aligns from the right, so axes of length one are put behind it. */
function alignToAxis(node: Node, operand: Tensor | undefined, writers: ReadonlyMap<string, Node>): Tensor {
	const isSpatial = SPATIAL.has(writers.get(node.inputs[0] ?? '')?.op ?? '')
	if (!operand || !isSpatial) {
		const where = `node ${node.name || node.outputs[0]} (${node.op})`
		throw new UnsupportedError(
			'opset-too-old',
			`${where} broadcasts in the way of opset 6; export the model with opset 7 or newer`,
		)
	}
	const missing = 4 - attributeInt(node, 'axis', 0) - operand.dims.length
	return { ...operand, dims: [...operand.dims, ...Array<number>(Math.max(0, missing)).fill(1)] }
}
