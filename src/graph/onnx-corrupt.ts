/** The error for bytes that are no ONNX model, or for one that contradicts itself. */
import { FormatError } from '../errors.ts'

export function corrupt(what: string, path: string | undefined, cause?: unknown): FormatError {
	return new FormatError('corrupt-onnx', `${path ?? 'model'}: not a readable ONNX model: ${what}`, { path, cause })
}
