/// One link of the hash chain over a prompt: `hash` covers every prompt byte before `endByte`.
///
/// Block sizes grow geometrically, so any prompt has at most `maximumBlocks`. The chain is keyed per process and
/// per model, so that tenants cannot collide blocks on purpose.
package struct PrefixBlock: Hashable, Sendable {
    package var hash: UInt64
    /// Bytes of prompt text from the start to the end of this block.
    package var endByte: Int

    package init(hash: UInt64, endByte: Int) {
        self.hash = hash
        self.endByte = endByte
    }

    package static let maximumBlocks = 128
}
