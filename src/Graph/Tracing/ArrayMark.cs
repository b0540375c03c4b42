namespace Fusion;

/// <summary>How an array from outside carried a gradient when a function was traced.</summary>
/// <param name="Array">The array.</param>
/// <param name="Variable">Its gradient buffer and request; null: none.</param>
/// <param name="HasHistory">It was a variable or was computed while recording.</param>
internal readonly record struct ArrayMark(NDArray Array, Variable? Variable, bool HasHistory)
{
    /// <summary>It still does.</summary>
    public bool Holds => ReferenceEquals(Array.Attachment, Variable) && (Array.Source is not null) == HasHistory;

    public static ArrayMark Of(NDArray array) => new(array, array.Attachment, array.Source is not null);
}
