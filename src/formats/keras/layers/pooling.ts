/** Max and average pools, local and global. */
import type { Flow } from '../build.ts'
import { readDataFormat, readFlag, readPadding, readPair } from '../settings.ts'
import { type LayerContext, type LayerTable, onlyInput } from './context.ts'
import { placeWindow, type Window } from './window.ts'

/** Keras averages over the pixels that exist, never over padding; so does ONNX unless `count_include_pad` is 1. */
function pool(op: 'MaxPool' | 'AveragePool') {
	return (context: LayerContext): Flow => {
		const { layer, build, name } = context
		const image = build.image(onlyInput(context), readDataFormat(layer), layer.name)
		const kernel = readPair(layer, 'pool_size', 2)
		const strides = layer.config.strides == null ? kernel : readPair(layer, 'strides')
		const window: Window = { kernel, strides, dilations: [1, 1], padding: readPadding(layer) }
		const { attributes, height, width } = placeWindow(window, image, layer)
		const average = op === 'AveragePool' ? { count_include_pad: 0 } : {}
		const output = image.flow(name, image.channels, height, width)
		return build.emit(op, [image.name], output, { kernel_shape: kernel, ...average, ...attributes })
	}
}

function globalPool(op: 'GlobalMaxPool' | 'GlobalAveragePool') {
	return (context: LayerContext): Flow => {
		const { layer, build, name } = context
		const image = build.image(onlyInput(context), readDataFormat(layer), layer.name)
		const keepsDims = readFlag(layer, 'keepdims', false)
		const pooledName = keepsDims ? name : build.helper(`${name}/pooled`)
		const pooled = build.emit(op, [image.name], image.flow(pooledName, image.channels, 1, 1), {}, name)
		if (keepsDims) return pooled
		const flat: Flow = { name, shape: [image.channels], layout: 'keras' }
		return build.emit('Flatten', [pooled.name], flat, { axis: 1 }, `${name}/flatten`)
	}
}

export const poolingLayers: LayerTable = {
	MaxPooling2D: pool('MaxPool'),
	AveragePooling2D: pool('AveragePool'),
	GlobalMaxPooling2D: globalPool('GlobalMaxPool'),
	GlobalAveragePooling2D: globalPool('GlobalAveragePool'),
}
