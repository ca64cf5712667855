/** Files that are not models, or not models we read: recognised by their bytes, so that the error can name them. */

const text = new TextDecoder('latin1')

/** What kind of file this is, if it is one that people offer as a model by mistake; null if we cannot tell. */
export function nameForeignFormat(bytes: Uint8Array): string | null {
	const head = text.decode(bytes.subarray(0, 512))
	const trimmed = head.trimStart().toLowerCase()
	if (bytes.length === 0) return 'an empty file'
	if (head.startsWith('version https://git-lfs'))
		return 'a Git LFS pointer, not the model itself: run "git lfs pull" where you cloned it'
	if (trimmed.startsWith('<!doctype html') || trimmed.startsWith('<html')) {
		return 'a web page saved under a model\'s name: download the file itself ("raw")'
	}
	if (head.slice(4, 8) === 'TFL3')
		return 'a TensorFlow Lite model, which goodnet does not read: convert the original to ONNX or Keras .h5'
	if (head.startsWith('PK')) return nameZip(text.decode(bytes.subarray(0, 4096)))
	if (bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5) {
		return 'a Python pickle (an old PyTorch checkpoint, perhaps), which goodnet never opens because it can run code: export the model to ONNX'
	}
	if (trimmed.startsWith('{'))
		return 'JSON without weights: name the model file itself, and an architecture with --architecture FILE'
	return null
}

function nameZip(start: string): string {
	if (start.includes('config.json') || start.includes('model.weights.h5')) {
		return 'a Keras 3 .keras archive, which goodnet does not read yet: save the model as .h5 or export it to ONNX'
	}
	if (start.includes('.pkl') || start.includes('/data/')) {
		return 'a PyTorch checkpoint (zip with pickle), which goodnet never opens because it can run code: export the model to ONNX'
	}
	return 'a zip archive: unpack it and name the model inside'
}
