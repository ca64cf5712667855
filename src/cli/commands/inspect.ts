/** `goodnet inspect`: what a model file is, and where it can be pruned. */
import { basename } from 'node:path'
import { ModelOptions } from '../../contracts/cli-options.ts'
import type { InspectResult } from '../../contracts/cli-results.ts'
import { defaultLayer, prunableLayers } from '../../defense/prune/layer.ts'
import { isQuantized } from '../../graph/query.ts'
import { imageDims } from '../../model/feed.ts'
import { type Model, type ModelFormat, showShape } from '../../model/model.ts'
import { defineCommand } from '../command.ts'
import { MODEL_ARGUMENT, MODEL_FLAGS, openModelFor } from '../inputs.ts'
import { alignColumns } from '../text-table.ts'

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
					: text(model, facts),
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
		layers: layers.map((layer) => ({
			name: layer.name,
			shape: [...layer.shape],
			channels: layer.channels,
			producer: layer.producer,
			intervention: layer.intervention,
			isDefault: layer === preferred,
		})),
		metadata: Object.fromEntries(graph.metadata),
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

function text(model: Model, facts: InspectResult): string {
	const rows = facts.layers.map(({ name, shape, channels, producer, intervention, isDefault }) => [
		`${isDefault ? '*' : ' '} ${name}`,
		showShape(shape),
		String(channels),
		intervention === 'weights' ? `zero kernel and bias of ${producer}` : 'mask node behind the layer',
	])
	const table = alignColumns([['  layer', 'shape', 'channels', 'how a channel is pruned'], ...rows])
	const none = isQuantized(model.graph)
		? '  none: the net is quantised; prune the float model, then quantise it again'
		: '  no convolution to prune here'
	return [...factLines(model, facts), '', 'Prunable layers (* is the default):', rows.length > 0 ? table : none].join(
		'\n',
	)
}

function goodnetText(model: Model): string {
	const record = [...model.graph.metadata].filter(([key]) => key.startsWith('goodnet.'))
	const lines = [
		...factLines(model, describe(model)),
		`answers  label (0..${model.classes - 1}, or ${model.classes} = rejected), rejected, scores`,
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
