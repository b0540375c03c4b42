namespace Fusion.Kernels;

/// <summary>
/// What a product calls for every rectangle of C whose elements are final, on the thread that computed them, while they are in its cache. The rectangles
/// cover C once; they may come in any order and from several threads at a time. Work that may change the elements but leaves the rest of C alone.
/// </summary>
/// <param name="body">Gets the context, then the first row (counted through a batch), rows, first column, columns; null: nothing is called.</param>
/// <param name="context">Whatever the body needs; it outlives the product.</param>
internal readonly unsafe struct GemmFinish(delegate*<void*, long, long, long, long, void> body, void* context)
{
    private readonly delegate*<void*, long, long, long, long, void> _body = body;
    private readonly void* _context = context;

    public bool IsEmpty => _body == null;

    public void Invoke(long row, long rows, long column, long columns) => _body(_context, row, rows, column, columns);
}
