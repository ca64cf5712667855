/** MatMul, Gemm: products of matrices, whose gradients are products with the other operand transposed. */
import { attributeFloat, attributeInt, elementCount } from '../graph.ts'
import type { Backstep, GradientRules } from './rule.ts'
import type { Shape } from './tape.ts'

export const matrixRules: GradientRules = {
	Gemm: (step) => {
		const { node, tape, gradient } = step
		const [a, b, c] = node.inputs as [string, string, string?]
		const [transA, transB] = [attributeInt(node, 'transA', 0), attributeInt(node, 'transB', 0)]
		const alpha = { float: attributeFloat(node, 'alpha', 1) }
		const product = (left: string, right: string, leftTurned: number, rightTurned: number) =>
			tape.emit('Gemm', [left, right], { alpha, transA: leftTurned, transB: rightTurned })
		const toA = () => (transA ? product(b, gradient, transB, 1) : product(gradient, b, 0, 1 - transB))
		const toB = () => (transB ? product(gradient, a, 1, transA) : product(a, gradient, 1 - transA, 0))
		return [
			step.isWanted(0) ? toA() : undefined,
			step.isWanted(1) ? toB() : undefined,
			c && step.isWanted(2) ? toAddend(step, c, attributeFloat(node, 'beta', 1)) : undefined,
		]
	},
	MatMul: (step) => {
		const [a, b] = step.node.inputs.map((name) => step.tape.shapeOf(name)) as [Shape, Shape]
		return b.length === 2 && a.length >= 2 ? timesMatrix(step, a, b) : timesBatch(step, a, b)
	},
}

/** Gemm's C is broadcast; the sum comes first because it is the smaller array to multiply. */
function toAddend({ node, tape, gradient }: Backstep, c: string, beta: number): string {
	const summed = tape.sumTo(gradient, tape.shapeOf(node.outputs[0]!), tape.shapeOf(c))
	return beta === 1 ? summed : tape.emit('Mul', [summed, tape.scalar(beta)])
}

/** A stack of rows times one matrix: one Gemm over all rows for each operand, which reads its operands turned without a copy. */
function timesMatrix({ node, tape, gradient, isWanted }: Backstep, a: Shape, b: Shape) {
	const [left, right] = node.inputs as [string, string]
	const [inner, columns] = b as [number, number]
	const rows = elementCount(a.slice(0, -1))
	const isFlat = a.length === 2
	const flatGradient = isFlat ? gradient : tape.reshape(gradient, [rows, columns])
	const toLeft = () => {
		const product = tape.emit('Gemm', [flatGradient, right], { transB: 1 })
		return isFlat ? product : tape.reshape(product, a)
	}
	const toRight = () => {
		const flat = isFlat ? left : tape.reshape(left, [rows, inner])
		return tape.emit('Gemm', [flat, flatGradient], { transA: 1 })
	}
	return [isWanted(0) ? toLeft() : undefined, isWanted(1) ? toRight() : undefined]
}

/** The general case, as numpy's matmul: a vector is a matrix of one row or one column, leading axes are broadcast. */
function timesBatch({ node, tape, gradient, isWanted }: Backstep, a: Shape, b: Shape) {
	const [left, right] = node.inputs as [string, string]
	const leftShape = a.length === 1 ? [1, ...a] : a
	const rightShape = b.length === 1 ? [...b, 1] : b
	const batch = broadcastShapes(leftShape.slice(0, -2), rightShape.slice(0, -2))
	const [rows, inner, columns] = [leftShape.at(-2)!, leftShape.at(-1)!, rightShape.at(-1)!]
	const shaped = (name: string, from: Shape, to: Shape) => (from.length === to.length ? name : tape.reshape(name, to))
	const full = shaped(gradient, tape.shapeOf(node.outputs[0]!), [...batch, rows, columns])
	const toLeft = () => {
		const product = tape.emit('MatMul', [full, turned(shaped(right, b, rightShape), rightShape.length)])
		return shaped(tape.sumTo(product, [...batch, rows, inner], leftShape), leftShape, a)
	}
	const toRight = () => {
		const product = tape.emit('MatMul', [turned(shaped(left, a, leftShape), leftShape.length), full])
		return shaped(tape.sumTo(product, [...batch, inner, columns], rightShape), rightShape, b)
	}
	/** With its last two axes exchanged. ONNX Runtime makes one node of this and the MatMul behind it. */
	function turned(name: string, rank: number): string {
		const perm = [...Array(rank).keys()]
		return tape.emit('Transpose', [name], { perm: [...perm.slice(0, -2), rank - 1, rank - 2] })
	}
	return [isWanted(0) ? toLeft() : undefined, isWanted(1) ? toRight() : undefined]
}

function broadcastShapes(a: Shape, b: Shape): Shape {
	const rank = Math.max(a.length, b.length)
	return Array.from({ length: rank }, (_, i) => {
		const [left, right] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1]
		return left === 1 ? right : left
	})
}
