namespace Fusion.Data;

/// <summary>Samples that lie in arrays, along their first axes.</summary>
public sealed class ArrayDataset : Dataset
{
    private readonly NDArray[] _arrays;

    /// <summary>A dataset of arrays with the same number of samples.</summary>
    /// <exception cref="ShapeException">An array has rank 0, or the first sizes differ.</exception>
    public ArrayDataset(params IReadOnlyList<NDArray> arrays)
    {
        ArgumentNullException.ThrowIfNull(arrays);
        if (arrays.Count == 0) throw new ArgumentException("ArrayDataset: there are no arrays.", nameof(arrays));
        _arrays = [.. arrays];
        foreach (NDArray array in _arrays) ArgumentNullException.ThrowIfNull(array, nameof(arrays));
        foreach (NDArray array in _arrays)
        {
            if (array.Rank == 0 || array.Shape[0] != _arrays[0].Shape[0])
                throw new ShapeException($"ArrayDataset: {string.Join(", ", _arrays.Select(a => a.Shape))}: the first axes count the samples and must agree.");
        }
    }

    /// <inheritdoc/>
    public override int Count => _arrays[0].Shape[0];

    /// <summary>The arrays.</summary>
    public IReadOnlyList<NDArray> Arrays => _arrays;

    /// <inheritdoc/>
    public override Batch Gather(IReadOnlyList<int> indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        NDArray order = Nd.Array((int[])[.. indices]);
        return new Batch(Array.ConvertAll(_arrays, array => Nd.Take(array, order.To(array.Device))));
    }
}
