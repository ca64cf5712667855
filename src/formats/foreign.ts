/** Files that are not models, or not models we read: recognised by their bytes, so that the error can name them and the way out. */

const text = new TextDecoder('latin1')

/** Enough of a file to see what it is: TensorFlow's protobufs name themselves some way in. */
const HEAD_BYTES = 2 ** 16

const PICKLE = 'which goodnet never opens because it can run code: export the model to ONNX (torch.onnx.export)'

/** What kind of file this is, if it is one that people offer as a model by mistake; null if we cannot tell. */
export function nameForeignFormat(bytes: Uint8Array): string | null {
	const head = text.decode(bytes.subarray(0, HEAD_BYTES))
	return nameText(head) ?? nameBinary(bytes, head)
}

function nameText(head: string): string | null {
	const trimmed = head.slice(0, 512).trimStart().toLowerCase()
	if (head.startsWith('version https://git-lfs'))
		return 'a Git LFS pointer, not the model itself: run "git lfs pull" where you cloned it'
	if (trimmed.startsWith('<!doctype html') || trimmed.startsWith('<html')) {
		return 'a web page saved under a model\'s name: download the file itself ("raw")'
	}
	// Keras 1 wrote JSON inside a JSON string.
	if (/^"?\{/.test(trimmed))
		return 'JSON without weights: name the model file itself, and an architecture with --architecture FILE'
	return null
}

function nameBinary(bytes: Uint8Array, head: string): string | null {
	if (bytes.length === 0) return 'an empty file'
	if (head.startsWith('PK')) return nameZip(head)
	if (isPickle(bytes, head)) return `a Python pickle (an old PyTorch checkpoint, perhaps), ${PICKLE}`
	if (head.slice(4, 8) === 'TFL3')
		return 'a TensorFlow Lite model, which goodnet does not read: convert the original to ONNX (python -m tf2onnx.convert --tflite FILE) or save it with Keras'
	if (isSafetensors(bytes))
		return 'safetensors, weights without an architecture: load them into their model and export that to ONNX'
	if (isSavedModel(bytes, head))
		return 'the graph of a TensorFlow SavedModel, which goodnet does not read: export its folder to ONNX (python -m tf2onnx.convert --saved-model FOLDER)'
	if (head.startsWith('\n') && head.slice(0, 512).includes('\u0012\u000bPlaceholder'))
		return 'a frozen TensorFlow graph, which goodnet does not read: export it to ONNX (python -m tf2onnx.convert --graphdef FILE)'
	if (head.startsWith('\u001f\u008b')) return 'a gzip file: unpack it and name the model inside'
	if (head.startsWith('\u0093NUMPY')) return 'a NumPy array: images go to --valid, --test or --poisoned'
	return null
}

function nameZip(head: string): string {
	if (head.includes('.pkl') || head.includes('/data/')) return `a PyTorch checkpoint (zip with pickle), ${PICKLE}`
	if (head.includes('.npy')) return 'an archive of NumPy arrays: images go to --valid, --test or --poisoned'
	return 'a zip archive: unpack it and name the model inside'
}

/** Protocols 2 to 5 say so; 0 and 1 are text that begins with a global or a mark, and ends with a full stop. */
function isPickle(bytes: Uint8Array, head: string): boolean {
	if (bytes[0] === 0x80) return bytes[1]! >= 2 && bytes[1]! <= 5
	return bytes.at(-1) === 0x2e && /^(c[\w.]+\n\w+\n|\((dp|lp|i[\w.]+\n)|\]|\})/.test(head)
}

/** Eight bytes of length, then a JSON object of that length (github.com/huggingface/safetensors). */
function isSafetensors(bytes: Uint8Array): boolean {
	if (bytes.length < 10 || bytes[8] !== 0x7b) return false
	const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
	return length >= 2n && length <= BigInt(bytes.length - 8)
}

/** `saved_model_schema_version` 1, then a long MetaGraphDef; an ONNX file has its producer's short name there. */
function isSavedModel(bytes: Uint8Array, head: string): boolean {
	const isLong = bytes[0] === 0x08 && bytes[1] === 1 && bytes[2] === 0x12 && bytes[3]! >= 0x80
	return isLong && /serve|StatefulPartitionedCall|VarHandleOp|saved_model/.test(head)
}
