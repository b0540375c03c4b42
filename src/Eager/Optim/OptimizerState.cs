namespace Fusion.Optim;

/// <summary>
/// Arrays that belong to each parameter (momentum, second moments), made at a parameter's first update, of zeros or another value. Those of a parameter of
/// half precision are Float32: 0.1 % of a square, which Adam adds at each step, is less than a BFloat16 resolves.
/// </summary>
internal sealed class OptimizerState(int perParameter, double start = 0)
{
    private readonly Dictionary<int, NDArray[]> _arrays = [];

    /// <summary>Arrays of each parameter.</summary>
    public int Count => perParameter;

    /// <summary>The arrays of a parameter; null before its first update.</summary>
    public NDArray[]? Find(int index) => _arrays.GetValueOrDefault(index);

    /// <summary>As before a parameter's first update.</summary>
    public void Reset(int index)
    {
        foreach (NDArray array in Find(index) ?? []) array.Fill(start);
    }

    /// <summary>The arrays of a parameter. They have elements also while a function is traced, for they outlive the call; not if the trace fails.</summary>
    public NDArray[] Of(int index, NDArray parameter)
    {
        if (_arrays.TryGetValue(index, out NDArray[]? arrays)) return arrays;
        arrays = new NDArray[perParameter];
        for (int i = 0; i < perParameter; i++)
        {
            arrays[i] = NDArray.Allocate(parameter.DType.IsHalf ? DType.Float32 : parameter.DType, parameter.Shape, parameter.Accelerator);
            Movement.Fill(arrays[i], start);
        }

        _arrays.Add(index, arrays);
        ExecutionState.Current.Tracer?.OnFailure(() => _arrays.Remove(index));
        return arrays;
    }
}
