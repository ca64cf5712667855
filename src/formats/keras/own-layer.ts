/**
 * Keras 3 says of every object where its class comes from: `module`, and `registered_name` for classes that somebody registered. What is
 * not of Keras itself is code that the file does not hold; the same class name may mean anything, so the name alone is not trusted.
 */
import { UnsupportedError } from '../../errors.ts'
import { isObject, type JsonObject } from './json.ts'

/** Throws `UnsupportedError` (`unsupported-layer`) where `json`, layer `name` of a model, is not a floating-point layer of Keras itself. */
export function assertOwnLayer(json: JsonObject, name: string): void {
	const reason = whyForeign(json)
	if (reason === null) return
	throw new UnsupportedError('unsupported-layer', `layer ${name}: ${String(json.class_name)} ${reason}`, {
		layer: name,
	})
}

function whyForeign({ module, registered_name, config }: JsonObject): string | null {
	const isRegistered = typeof registered_name === 'string'
	if (isRegistered && (registered_name.includes('>') || module === null)) {
		return `is a custom class (registered as ${registered_name}), whose code the file does not hold and goodnet would not run`
	}
	if (typeof module === 'string' && !/^(tf_)?keras(\.|$)/.test(module)) {
		return `is a custom class (of module ${module}), whose code the file does not hold and goodnet would not run`
	}
	if (typeof module === 'string' && /^keras\.(src\.)?ops\b/.test(module)) {
		return `is a bare operation (${module}), which is not supported: use the layer of that name (keras.layers.Add()) and save again`
	}
	const policy = isObject(config) && isObject(config.dtype) ? String(config.dtype.class_name) : ''
	return policy.startsWith('Quantized')
		? 'has quantised weights, which are not supported: save it before quantising'
		: null
}
