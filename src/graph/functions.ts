/**
 * Local functions of an ONNX model (`ModelProto.functions`, since IR version 8): PyTorch's dynamo exporter of 2.1 to 2.4 writes each module
 * and each operation as one. They are dissolved when a model is read, so that everything behind sees plain operators.
 * (github.com/onnx/onnx, docs/IR.md, "Model-local functions".)
 */
import type { AttributeProto, FunctionProto, ModelProto, NodeProto } from 'onnx-buf'
import { UnsupportedError } from '../errors.ts'
import { corrupt } from './onnx-corrupt.ts'

/** Modules nest some ten deep in real nets; a function that calls itself never ends. */
const MAX_DEPTH = 64
/** Far more nodes than any net has. A few functions that each call another twice would make millions. */
const MAX_NODES = 200_000

/** A model's nodes without functions, and the operator sets that they are of. */
export interface PlainNodes {
	readonly nodes: readonly NodeProto[]
	/** Domain → version; `''` is ONNX' own. */
	readonly opsets: ReadonlyMap<string, number>
}

interface Dissolving {
	readonly functions: ReadonlyMap<string, FunctionProto>
	/** Prefixes of the names of values that are in use. */
	readonly taken: Set<string>
	readonly path: string | undefined
	made: number
}

/**
 * The nodes of `model` with every call of a local function replaced by the function's own nodes. Their values are called after the call:
 * `call/value`. `model` stays as it was.
 *
 * @throws FormatError `corrupt-onnx` for functions that call themselves or unfold without end
 * @throws UnsupportedError `mixed-opsets` where a function is written for another operator set than the model
 */
export function dissolveFunctions(model: ModelProto, path: string | undefined): PlainNodes {
	const nodes = model.graph?.node ?? []
	if (model.functions.length === 0) return { nodes, opsets: opsetsOf(model) }
	const functions = new Map(model.functions.map((each) => [keyOf(each.domain, each.name, each.overload), each]))
	const taken = new Set(nodes.flatMap((node) => [...node.input, ...node.output]).flatMap(prefixesOf))
	const plain = dissolve(nodes, { functions, taken, path, made: 0 }, 0)
	return { nodes: plain, opsets: commonOpsets(model, path) }
}

function dissolve(nodes: readonly NodeProto[], state: Dissolving, depth: number): NodeProto[] {
	return nodes.flatMap((node) => {
		const callee = state.functions.get(keyOf(node.domain, node.opType, node.overload))
		state.made += 1
		if (depth > MAX_DEPTH || state.made > MAX_NODES) {
			throw corrupt(`its functions call one another without end (at ${node.opType})`, state.path)
		}
		return callee ? dissolve(bodyOf(node, callee, state), state, depth + 1) : [node]
	})
}

/** The nodes of `callee` as they stand for `call`: with its values for inputs and outputs, and its attributes. */
function bodyOf(call: NodeProto, callee: FunctionProto, state: Dissolving): NodeProto[] {
	const prefix = freePrefix(call.name || call.output[0] || callee.name, state.taken)
	const inputs = new Map(callee.input.map((name, index) => [name, call.input[index] ?? '']))
	const outputs = new Map(
		callee.output.flatMap((name, index) => {
			const given = call.output[index]
			return given && !inputs.has(name) ? [[name, given] as const] : []
		}),
	)
	const rename = (name: string) => (name === '' ? '' : (inputs.get(name) ?? outputs.get(name) ?? `${prefix}/${name}`))
	const attributes = new Map([...callee.attributeProto, ...call.attribute].map((each) => [each.name, each]))
	const body = callee.node.map((node) => ({
		...node,
		name: node.name === '' ? '' : `${prefix}/${node.name}`,
		input: node.input.map(rename),
		output: node.output.map(rename),
		attribute: node.attribute.flatMap((each) => resolve(each, attributes)),
	}))
	return [...body, ...passedThrough(call, callee, inputs)]
}

/** An attribute of a body may stand for one of the call; where the call has none, it is left out. */
function resolve(attribute: AttributeProto, given: ReadonlyMap<string, AttributeProto>): AttributeProto[] {
	if (attribute.refAttrName === '') return [attribute]
	const value = given.get(attribute.refAttrName)
	return value ? [{ ...value, name: attribute.name }] : []
}

/** Outputs of a function that are its inputs unchanged. */
function passedThrough(call: NodeProto, callee: FunctionProto, inputs: ReadonlyMap<string, string>): NodeProto[] {
	return callee.output.flatMap((name, index) => {
		const [from, to] = [inputs.get(name), call.output[index]]
		if (from === undefined || !to) return []
		return [
			{ ...call, name: to, opType: 'Identity', domain: '', overload: '', input: [from], output: [to], attribute: [] },
		]
	})
}

function keyOf(domain: string, name: string, overload: string): string {
	return [domain === 'ai.onnx' ? '' : domain, name, overload].join('\n')
}

/** `a/b/c` is below `a` and `a/b`; a prefix is free when nothing is below it. */
function prefixesOf(name: string): string[] {
	return name.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'))
}

function freePrefix(wish: string, taken: Set<string>): string {
	let prefix = `${wish}/in`
	for (let number = 2; taken.has(prefix); number++) prefix = `${wish}/in_${number}`
	taken.add(prefix)
	return prefix
}

function opsetsOf({ opsetImport }: Pick<ModelProto, 'opsetImport'>): Map<string, number> {
	return new Map(opsetImport.map(({ domain, version }) => [domain === 'ai.onnx' ? '' : domain, Number(version)]))
}

/** The operator sets of model and functions, those of the functions themselves left out: their domains are gone. */
function commonOpsets(model: ModelProto, path: string | undefined): Map<string, number> {
	const opsets = opsetsOf(model)
	for (const callee of model.functions) {
		for (const [domain, version] of opsetsOf(callee)) {
			const common = opsets.get(domain) ?? version
			if (common !== version) throw mixed(callee, domain, version, common, path)
			opsets.set(domain, common)
		}
	}
	for (const { domain } of model.functions) opsets.delete(domain)
	return opsets
}

function mixed(
	{ name }: FunctionProto,
	domain: string,
	found: number,
	expected: number,
	path: string | undefined,
): UnsupportedError {
	const set = domain || 'ONNX'
	const message = `${path ?? 'model'}: function ${name} is written for operator set ${set} ${found}, the model for ${expected}; export the model again`
	return new UnsupportedError('mixed-opsets', message, { path, layer: name })
}
