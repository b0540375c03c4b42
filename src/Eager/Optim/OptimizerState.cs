namespace Fusion.Optim;

/// <summary>Arrays that belong to each parameter (momentum, second moments), made of zeros at a parameter's first update.</summary>
internal sealed class OptimizerState(int perParameter)
{
    private readonly Dictionary<int, NDArray[]> _arrays = [];

    public NDArray[] Of(int index, NDArray parameter)
    {
        if (_arrays.TryGetValue(index, out NDArray[]? arrays)) return arrays;
        arrays = new NDArray[perParameter];
        for (int i = 0; i < perParameter; i++) arrays[i] = Nd.ZerosLike(parameter);
        _arrays.Add(index, arrays);
        return arrays;
    }
}
