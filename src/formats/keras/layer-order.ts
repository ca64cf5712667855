/**
 * The order in which Keras lists the layers of a functional model. It matters: Keras 2 and 3 give a file's weights to the layers of the
 * model that they rebuilt by place, not by name.
 */

/** A layer, by name, and those it reads. */
interface Linked {
	readonly name: string
	readonly inputs: readonly string[]
}

/**
 * `layers`, whose last one is the output, as Keras sorts them (`_map_graph_network` in `engine/functional.py`): by depth, which is the
 * longest way to the output, the deepest first; at the same depth in the order in which a walk from the output back to the input meets
 * them. Each layer must stand after those it reads, and lead to the output.
 */
export function inKerasOrder<T extends Linked>(layers: readonly T[]): T[] {
	const depths = depthsOf(layers)
	const places = placesOf(layers)
	const rank = (ranks: ReadonlyMap<string, number>, { name }: T) => ranks.get(name) ?? 0
	return layers.toSorted((a, b) => rank(depths, b) - rank(depths, a) || rank(places, a) - rank(places, b))
}

/** Layer name → the number of layers on its longest way to the output. */
function depthsOf(layers: readonly Linked[]): ReadonlyMap<string, number> {
	const depths = new Map<string, number>()
	for (const { name, inputs } of layers.toReversed()) {
		const below = (depths.get(name) ?? 0) + 1
		for (const input of inputs) depths.set(input, Math.max(below, depths.get(input) ?? 0))
	}
	return depths
}

/** Layer name → when a walk from the output meets it first: itself, then all that leads to its first input, then to its second. */
function placesOf(layers: readonly Linked[]): ReadonlyMap<string, number> {
	const byName = new Map(layers.map((layer) => [layer.name, layer]))
	const places = new Map<string, number>()
	const waiting = layers.slice(-1).map(({ name }) => name)
	for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
		if (places.has(name)) continue
		places.set(name, places.size)
		waiting.push(...(byName.get(name)?.inputs ?? []).toReversed())
	}
	return places
}
