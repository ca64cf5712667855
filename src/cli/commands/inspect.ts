/** `goodnet inspect`: what a model file is, and where it can be pruned. */
import { basename } from 'node:path'
import { ModelOptions } from '../../contracts/cli-options.ts'
import type { InspectResult } from '../../contracts/cli-results.ts'
import { defaultLayer, nothingToPrune, type PruneLayer, prunableLayers } from '../../defense/prune/layer.ts'
import { nodeName } from '../../graph/graph.ts'
import { imageDims } from '../../model/feed.ts'
import { type Model, type ModelFormat, showShape } from '../../model/model.ts'
import { DEFAULT_COLUMNS, defineCommand } from '../command.ts'
import { MODEL_ARGUMENT, MODEL_FLAGS, openModelFor } from '../inputs.ts'
import { alignColumns } from '../text-table.ts'

type InspectLayer = InspectResult['layers'][number]

export const inspect = defineCommand<ModelOptions>({
	name: 'inspect',
	summary: 'say what a model file is and where its channels can be pruned',
	arguments: [['<model>', MODEL_ARGUMENT]],
	flags: MODEL_FLAGS,
	options: ModelOptions,
	example: 'goodnet inspect bd_net.h5',
	async run([path = ''], options, io) {
		const model = await openModelFor(path, options)
		const facts = describe(model)
		io.print(
			options.json
				? JSON.stringify(facts, null, 2)
				: facts.kind === 'goodnet'
					? goodnetText(model)
					: text(model, facts, io.columns ?? DEFAULT_COLUMNS),
		)
		return 0
	},
})

function describe(model: Model): InspectResult {
	const { source, input, graph } = model
	const layers = model.kind === 'goodnet' ? [] : prunableLayers(model)
	const preferred = defaultLayer(layers)
	return {
		schema: 'goodnet/inspect@1',
		path: source.path,
		sha256: source.sha256,
		format: source.format,
		kind: model.kind,
		producer: producerOf(model),
		opset: graph.opsets.get('') ?? null,
		input: { name: input.name, shape: imageDims(input), layout: input.layout, dtype: input.dtype, batch: input.batch },
		output: model.output,
		classes: model.classes,
		nodes: graph.nodes.length,
		parameters: [...graph.initializers.values()].reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0),
		layers: layers.map((layer) => layerRecord(layer, layer === preferred)),
		nothingToPrune: preferred || model.kind === 'goodnet' ? null : nothingToPrune(model, layers),
		metadata: Object.fromEntries(graph.metadata),
	}
}

function layerRecord(layer: PruneLayer, isDefault: boolean): InspectLayer {
	const { name, axis, shape, channels, producer, intervention, filters } = layer
	return {
		name,
		shape: [...shape],
		channels,
		axis,
		producer,
		intervention,
		filters: filters.map((each) => ({ ...each })),
		producers: layer.producers.map(({ node, offset }) => ({ name: nodeName(node), op: node.op, offset })),
		consumers: layer.consumers.map(({ isGate: _, ...consumer }) => consumer),
		isDefault,
	}
}

/** What wrote the file. A Keras file tells its version only; a graph made from one says so. */
function producerOf({ graph, source }: Model): string {
	const { producerName, producerVersion } = graph
	if (producerName === 'goodnet' && producerVersion.startsWith('keras')) {
		const keras = producerVersion.replace('k', 'K')
		return source.format === 'onnx' ? `goodnet (from ${keras})` : keras
	}
	return [producerName, producerVersion].filter((part) => part !== '').join(' ')
}

function text(model: Model, facts: InspectResult, width: number): string {
	const none = facts.nothingToPrune === null ? [] : [`  ${facts.nothingToPrune}`]
	const heading = 'Prunable layers (* is the default):'
	return [...factLines(model, facts), '', heading, ...layerLines(facts.layers, width), ...none].join('\n')
}

/** One line a layer where they fit the terminal; otherwise those who read it stand below it. */
function layerLines(layers: readonly InspectLayer[], width: number): string[] {
	if (layers.length === 0) return []
	const heading = ['  layer', 'shape', 'channels', 'zeroed to prune a channel', 'read by']
	const rows = layers.map((layer) => [
		`${layer.isDefault ? '*' : ' '} ${layer.name}`,
		showShape(layer.shape),
		String(layer.channels),
		howPruned(layer),
		readBy(layer),
	])
	const wide = alignColumns([heading, ...rows]).split('\n')
	if (wide.every((line) => line.length <= width)) return wide
	const [first = '', ...narrow] = alignColumns([heading, ...rows].map((row) => row.slice(0, -1))).split('\n')
	return [first, ...narrow.flatMap((line, i) => [line, `      read by ${rows[i]?.at(-1)}`])]
}

/** `kernel and bias of conv_3`, or what a mask stands behind: `mask: stem.conv + layer1.0.2.conv`. */
function howPruned({ producer, producers }: InspectLayer): string {
	if (producer !== null) return `kernel and bias of ${producer}`
	const [first, second] = producers
	if (!first) return 'mask'
	if (!second) return `mask: zeroing ${first.name} would change more`
	const isConcatenated = producers.some(({ offset }) => offset > 0)
	const names = producers.map(({ name, offset }) => (isConcatenated ? `${name} at ${offset}` : name))
	return `mask: ${shorten(names, isConcatenated ? ', ' : ' + ')}`
}

const READERS: Readonly<Record<string, string>> = { normalization: 'BN', sum: 'sum', product: 'product' }

function readBy({ consumers }: InspectLayer): string {
	// Who reads the channels behind a normalization is listed as well, and says more.
	const others = consumers.filter(({ kind }) => kind !== 'normalization')
	const names = (others.length > 0 ? others : consumers).map(({ kind, name, op, offset }) => {
		if (kind === 'concatenation') return `${name} at ${offset}`
		if (kind === 'other') return `${op} ${name}`
		return READERS[kind] ? `${READERS[kind]} ${name}` : name
	})
	return shorten(names, ', ')
}

/** As many of a list as a line of the table has room for, the last first; `--json` has them all. */
function shorten(names: readonly string[], separator: string): string {
	return names.length <= 2 ? names.join(separator) : `${names.at(-1)}${separator}${names.length - 1} more`
}

function goodnetText(model: Model): string {
	const record = [...model.graph.metadata].filter(([key]) => key.startsWith('goodnet.'))
	const lines = [
		...factLines(model, describe(model)),
		`answers  label (0..${model.classes - 1}, or ${model.classes} = rejected), ${model.graph.outputs
			.slice(1)
			.map(({ name }) => name)
			.join(', ')}`,
		...record.map(([key, value]) => `  ${key} = ${value.length > 90 ? `${value.slice(0, 90)}…` : value}`),
	]
	return lines.join('\n')
}

const FORMAT_NAMES: Readonly<Record<ModelFormat, string>> = {
	'keras-h5': 'Keras .h5',
	'keras-v3': 'Keras 3 .keras',
	'tfjs-layers': 'TensorFlow.js layers model',
	onnx: 'ONNX',
}

function factLines({ source, input, classes, kind }: Model, facts: InspectResult): string[] {
	const format = source.format === 'onnx' ? `ONNX, opset ${facts.opset}` : FORMAT_NAMES[source.format]
	const beside =
		source.beside.size === 0 ? [] : [`files    ${[basename(source.path), ...source.beside.keys()].join(', ')}`]
	const batch = input.batch === null ? '' : `, batch fixed at ${input.batch}`
	return [
		`${source.path}`,
		`model    ${kind === 'goodnet' ? 'GoodNet, ' : ''}${format}${facts.producer ? `, written by ${facts.producer}` : ''}`,
		...beside,
		`sha256   ${source.sha256}${beside.length > 0 ? ' (of these files, one behind the other)' : ''}`,
		`input    ${input.name}: ${input.height} rows × ${input.width} columns × ${input.channels} colours, ${input.layout}, ${input.dtype}${batch}`,
		`classes  ${classes}`,
		`size     ${facts.parameters.toLocaleString('en')} parameters in ${facts.nodes} operations`,
	]
}
