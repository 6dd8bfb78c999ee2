import JobStores
import Testing

@Suite("SQLite keeps every promise of the store contract")
struct SQLiteConformanceTests {
    @Test(arguments: StorePromise.all)
    func promise(_ promise: StorePromise) async throws {
        try await promise.prove(SQLiteFixture())
    }
}
